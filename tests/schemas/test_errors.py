from libra_schemas.errors import ConfigError, LibraError, Problem


def test_a_problem_reads_as_compilers_write_it() -> None:
    problem = Problem("vrid", "must be at most 255", "choose less", "f.yaml", 3, 9)
    assert str(problem) == "f.yaml:3:9: vrid: must be at most 255 (choose less)"


def test_a_problem_without_place_path_and_hint_is_its_message() -> None:
    assert str(Problem("", "the file is empty")) == "the file is empty"


def test_a_config_error_says_all_problems_one_a_line() -> None:
    error = ConfigError((Problem("a", "bad"), Problem("b", "worse")))
    assert str(error) == "a: bad\nb: worse"
    assert isinstance(error, LibraError)
