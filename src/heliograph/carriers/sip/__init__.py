"""The driver for SIP trunks: places a call, reads the text to whoever answers, and hangs up."""
