"""The folder of a sweep: one sweep at a time, and known by its token."""

import pytest

from metalab.runs.batch.batch import BatchError
from metalab.runs.batch.folder import held_folder, token_of


def test_a_folder_is_held_by_one_sweep_and_known_by_its_token(tmp_path):
    assert token_of(tmp_path) == ""
    with held_folder(tmp_path):
        first = token_of(tmp_path)
        assert len(first) == 32
        with (
            pytest.raises(BatchError, match="another process is running a sweep"),
            held_folder(tmp_path),
        ):
            pass
        assert token_of(tmp_path) == first
    with held_folder(tmp_path):
        assert token_of(tmp_path) != first


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with (
        pytest.raises(BatchError, match="cannot keep runs in"),
        held_folder(tmp_path / "none"),
    ):
        pass
