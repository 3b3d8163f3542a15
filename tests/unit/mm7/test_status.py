from heliograph.mm7.status import PASSING, StatusCode, is_success


def test_the_words_of_the_standard() -> None:
    assert StatusCode(1000).words == "Success"
    assert StatusCode(4001).words == "Improper identification"


def test_what_may_pass_is_of_the_server_or_the_service() -> None:
    assert {int(code) for code in PASSING} == {3000, 4000, 4005, 4006}


def test_only_codes_of_the_first_class_are_success() -> None:
    assert {int(code) for code in StatusCode if is_success(code)} == {1000, 1100}
    assert not is_success(999)
