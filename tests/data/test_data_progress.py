from bitwright.data.progress import Progress


def test_short_work_prints_nothing(capsys):
    with Progress("read", 3) as bar:
        for _ in range(3):
            bar.advance()
    assert capsys.readouterr() == ("", "")


def test_long_work_prints_plain_lines_when_piped(capsys):
    with Progress("fetch x", 4_000_000, "B", after=0, every=0) as bar:
        bar.advance(1_500_000)
        bar.advance(2_500_000)
    out, err = capsys.readouterr()
    assert out == "" and err == "fetch x: 1.5 MB of 4.0 MB, 0 s\nfetch x: 4.0 MB of 4.0 MB, 0 s\n"


def test_plain_lines_keep_their_distance(capsys):
    with Progress("read", after=0, every=60) as bar:
        for _ in range(1000):
            bar.advance()
    assert capsys.readouterr().err == "read: 1, 0 s\n"
