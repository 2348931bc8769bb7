"""What a long command says of itself where nobody sees a line change."""

from metalab.cli import status
from metalab.cli.status import told_status


def test_a_line_now_and_then_on_stderr(monkeypatch, capsys):
    now = 100.0
    monkeypatch.setattr(status.time, "monotonic", lambda: now)
    with told_status("measuring") as tell:
        for second in range(35):
            now = 100.0 + second
            tell(f"K = 5, second {second}")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"metalab: K = 5, second {second}" for second in (10, 20, 30)
    ]
