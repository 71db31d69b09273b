"""streamer.source.login: HTTP's Basic and Digest."""

import hashlib
from itertools import permutations

import pytest

from streamer.source.login import Challenge, Login, challenges_of, realm_of


def answer(challenge: str, user: str, password: str, method: str, uri: str, cnonce: str | None = None) -> str | None:
    """The Authorization field that answers one WWW-Authenticate field; None: nothing in it is known."""
    login = Login(user, password, cnonce)
    return login.header(method, uri) if login.take(challenges_of([challenge])) else None


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
        "Digest " + "a " * (1 << 19),
        "Digest " + "a, " * (1 << 18),
        "Digest a" + " " * (1 << 20),
    ],
    ids=["one name", "names", "quotes", "escapes", "words", "schemes", "blanks"],
)
@pytest.mark.timeout(30)  # or hours
def test_a_long_challenge_is_read_in_one_go(challenge: str) -> None:
    """A challenge takes time by its length, not by its square, though nothing comes of it."""
    assert answer(challenge, "user", "password", "GET", "/") is not None
    assert len(realm_of([challenge]) or "") <= 80


CHALLENGES = {
    "MD5": 'Digest realm="cam", nonce="n1", algorithm=MD5',
    "SHA-256": 'Digest realm="cam", nonce="n2", algorithm="SHA-256", qop="auth"',
    "SHA-512-256": 'digest realm="cam", nonce="n3", algorithm=SHA-512-256, qop="auth-int,auth"',
    "Basic": 'Basic realm="cam"',
}


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256"])
@pytest.mark.parametrize("qop", ["", ', qop="auth"'])
@pytest.mark.parametrize("session", ["", "-sess"])
def test_every_digest_is_computed_as_the_rfc_says(algorithm: str, qop: str, session: str) -> None:
    """Each algorithm of RFC 7616 gives the response of section 3.4.1, with and without qop, and by session."""

    def digest(*parts: str) -> str:
        name = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}[algorithm]
        return hashlib.new(name, ":".join(parts).encode(), usedforsecurity=False).hexdigest()

    said = answer(
        f'Digest realm="r", nonce="n", algorithm={algorithm}{session}{qop}', "ü", "p:@ß", "PLAY", "rtsp://c/", "c"
    )
    secret = digest("ü", "r", "p:@ß")
    secret = digest(secret, "n", "c") if session else secret
    request = digest("PLAY", "rtsp://c/")
    right = digest(secret, "n", "00000001", "c", "auth", request) if qop else digest(secret, "n", request)
    assert said is not None
    assert f'response="{right}"' in said
    assert f"algorithm={algorithm}{session}" in said
    assert ('cnonce="c"' in said) == bool(qop or session)


@pytest.mark.parametrize("order", list(permutations(CHALLENGES)))
@pytest.mark.parametrize("joined", [False, True])
def test_the_strongest_challenge_is_answered(order: tuple[str, ...], joined: bool) -> None:
    """Of several challenges, in any order, in one field or in several, the strongest that is known is answered."""
    for count in range(1, 5):
        offered = [CHALLENGES[name] for name in order[:count]]
        login = Login("user", "password")
        assert login.take(challenges_of([", ".join(offered)] if joined else offered))
        best = next(name for name in ("SHA-512-256", "SHA-256", "MD5", "Basic") if name in order[:count])
        assert login.name == ("Basic" if best == "Basic" else f"Digest {best}")


def test_what_is_not_known_is_passed_over() -> None:
    """Beside schemes, algorithms and qualities that nobody here knows, what is known is found."""
    values = [
        "Negotiate abc==, Bearer realm=x",
        'Digest realm="a", nonce="1", algorithm=SHA-512, Basic realm="b, Digest c"',
    ]
    login = Login("user", "password")
    assert login.take(challenges_of(values))
    assert login.name == "Basic"
    assert not Login("user", "password").take(challenges_of(['Digest realm="a", nonce="1", qop="auth-int"']))


def test_a_challenge_is_read_as_cameras_write_it() -> None:
    """Quotes that are missing, escaped or around everything, commas that are missing, and odd case change nothing."""
    for written in (
        'Digest realm="IP \\"C\\"", nonce="n", stale="FALSE"',
        'DIGEST Realm = "IP \\"C\\"" , NONCE = n,stale=false',
        'Digest realm="IP \\"C\\"" nonce="n" stale=FALSE',
    ):
        (found,) = challenges_of([written])
        assert (found.fields["realm"], found.fields["nonce"], found.stale) == ('IP "C"', "n", False)
    (found,) = challenges_of(["Digest realm=IP Camera, nonce=n"])
    assert found.fields == {"realm": "IP", "nonce": "n"}
    said = answer('Digest realm="IP \\"C\\"", nonce="n"', "u", "p", "GET", "/")
    assert said is not None
    assert 'realm="IP \\"C\\""' in said


def test_requests_are_counted_by_nonce() -> None:
    """With qop each request under one nonce has the next count, and a new nonce begins anew (RFC 7616 section 3.4)."""
    login = Login("user", "password", "c")
    for nonce in ("one", "two"):
        login.take(challenges_of([f'Digest realm="r", nonce="{nonce}", qop="auth"']))
        for count in (1, 2, 3):
            assert f"nc={count:08x}" in str(login.header("PLAY", "/"))


def test_a_password_is_tried_once() -> None:
    """Who refuses the password is not asked again; an old nonce is renewed, once in a row."""

    def said(nonce: str, stale: str = "false") -> list[Challenge]:
        return challenges_of([f'Digest realm="r", nonce="{nonce}", stale={stale}'])

    login = Login("user", "password")
    assert login.tries_again(said("1"))
    assert not login.tries_again(said("2"))
    assert login.tries_again(said("2", "true"))
    assert not login.tries_again(said("3", "true"))
    login.accepted()
    assert login.tries_again(said("4"))  # it was right a moment ago
    assert not login.tries_again(said("5"))
    login.accepted()
    assert not login.tries_again(said("4"))
