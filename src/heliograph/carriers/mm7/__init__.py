"""Carriers over MM7: `driver` calls the carrier, `callback` answers it; `mapping`, `answers` and `profile` are pure."""
