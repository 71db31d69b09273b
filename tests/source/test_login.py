"""streamer.source.login: HTTP's Basic and Digest."""

import pytest

from streamer.source.login import answer, realm_of


def test_digest_is_that_of_the_rfc() -> None:
    """The examples of RFC 7616 section 3.9.1 are answered as it answers them."""
    for algorithm, response in (
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ):
        challenge = (
            f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
            'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
        )
        cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
        said = answer(challenge, "Mufasa", "Circle of Life", "GET", "/dir/index.html", cnonce)
        assert said is not None
        assert f'response="{response}"' in said
        assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in said


def test_digest_without_qop_is_that_of_the_old_rfc() -> None:
    """A challenge without qop is answered as RFC 2069 says: the response is RFC 2617's example without its qop."""
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    said = answer(challenge, "Mufasa", "Circle Of Life", "GET", "/dir/index.html")
    assert said is not None
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in said
    assert "qop" not in said


def test_basic_is_that_of_the_rfc() -> None:
    """The example of RFC 7617 section 2."""
    assert answer('Basic realm="x"', "Aladdin", "open sesame", "GET", "/") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


@pytest.mark.parametrize("challenge", ["", "Bearer", "Negotiate abc", 'Digest realm="x", nonce="y", algorithm=MD6'])
def test_what_is_not_known_is_not_answered(challenge: str) -> None:
    """Other schemes and algorithms get no answer."""
    assert answer(challenge, "user", "password", "GET", "/") is None


@pytest.mark.parametrize(
    "challenge",
    [
        "Digest " + "a" * (1 << 20),
        "Digest " + "a=" * (1 << 19),
        'Digest a="' * (1 << 16),
        'Digest a="' + "\\" * (1 << 20),
    ],
    ids=["one name", "names", "quotes", "escapes"],
)
@pytest.mark.timeout(30)  # or hours
def test_a_long_challenge_is_read_in_one_go(challenge: str) -> None:
    """A challenge takes time by its length, not by its square, though nothing comes of it."""
    assert answer(challenge, "user", "password", "GET", "/") is not None
    assert len(realm_of([challenge]) or "") <= 80
