from heliograph.services.speech.frames import LENGTH_OCTETS, asked, question_in


def test_a_question_is_understood_at_the_other_end() -> None:
    frame = asked("en+f2", "Καλημέρα\n")
    assert int.from_bytes(frame[:LENGTH_OCTETS], "big") == len(frame) - LENGTH_OCTETS
    assert question_in(frame[LENGTH_OCTETS:]) == ("en+f2", "Καλημέρα\n")
