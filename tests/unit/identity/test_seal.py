"""The envelope of tokens: nothing changed passes, and keys rotate without a logout."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andromede.services.identity.tokens.seal import LONGEST, Broken, KeyRing, key_ring
from andromede.services.identity.tokens.token import (
    COMMON_ROLES,
    METHODS,
    ScopeKind,
    Token,
    new_audit_id,
    pack,
    unpack,
)
from tests.harness import MemoryKeys

HEX = st.text("0123456789abcdef", min_size=32, max_size=32)
ASCII = st.characters(min_codepoint=32, max_codepoint=126)
IDS = st.one_of(HEX, st.text(ASCII, min_size=1, max_size=15), st.just("default"))
ROLES = st.lists(st.sampled_from(COMMON_ROLES) | st.text(min_size=1, max_size=8), unique=True)


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def ring() -> tuple[KeyRing, MemoryKeys, Clock]:
    keys, clock = MemoryKeys(), Clock()
    return KeyRing(keys, clock), keys, clock


@given(st.binary(max_size=150))
def test_what_was_sealed_opens(payload: bytes) -> None:
    one, _, _ = ring()
    assert one.open(one.seal(payload)) == payload


@given(st.binary(min_size=1, max_size=80), st.data())
def test_any_changed_byte_is_refused(payload: bytes, data: st.DataObject) -> None:
    one, _, _ = ring()
    sealed = one.seal(payload)
    raw = bytearray(urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Broken):
        one.open(urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode())


@given(st.binary(min_size=1, max_size=80), st.data())
def test_any_changed_character_is_refused(payload: bytes, data: st.DataObject) -> None:
    one, _, _ = ring()
    sealed = one.seal(payload)
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters(max_codepoint=300).filter(lambda c: c != sealed[at]))
    with pytest.raises(Broken):
        one.open(sealed[:at] + other + sealed[at + 1 :])


@given(st.text(max_size=400))
def test_gibberish_is_refused(text: str) -> None:
    one, _, _ = ring()
    with pytest.raises(Broken):
        one.open(text)


def test_keys_rotate_without_a_logout() -> None:
    one, keys, clock = ring()
    before = one.seal(b"old")
    keys.tokens.insert(0, ("k2", b"2" * 32))
    other = KeyRing(keys, clock)
    after = other.seal(b"new")
    clock.now += 1
    assert one.open(after) == b"new", "an unknown key is fetched at once"
    assert one.open(before) == b"old"
    keys.tokens.pop()
    clock.now += 31
    assert one.open(after) == b"new", "and asks for the keys anew, beside the request"
    assert one.fetching is not None
    one.fetching.join()
    with pytest.raises(Broken):
        one.open(before)
    assert one.open(after) == b"new"


def test_unknown_keys_are_fetched_once_a_second() -> None:
    one, keys, clock = ring()
    foreign = KeyRing(_only("k9"), clock).seal(b"x")
    one.seal(b"")
    fetched = keys.fetched
    for _ in range(5):
        with pytest.raises(Broken):
            one.open(foreign)
    assert keys.fetched == fetched
    clock.now += 1
    for _ in range(5):
        with pytest.raises(Broken):
            one.open(foreign)
    assert keys.fetched == fetched + 1


def test_keys_are_kept_while_their_role_is_away() -> None:
    class Failing(MemoryKeys):
        away = False

        def token_keys(self) -> Sequence[tuple[str, bytes]]:
            if self.away:
                raise ConnectionRefusedError("no one listens")
            return super().token_keys()

    keys, clock = Failing(), Clock()
    one = KeyRing(keys, clock)
    keys.away = True
    with pytest.raises(ConnectionRefusedError):
        one.seal(b"x")
    keys.away = False
    sealed = one.seal(b"x")
    keys.away = True
    clock.now += 60
    assert one.open(sealed) == b"x"
    assert one.fetching is not None
    one.fetching.join()
    assert one.open(sealed) == b"x"


def test_one_ring_for_one_keys_role() -> None:
    keys, other = MemoryKeys(), MemoryKeys()
    assert key_ring(keys) is key_ring(keys)
    assert key_ring(keys) is not key_ring(other)


def _only(name: str) -> MemoryKeys:
    keys = MemoryKeys()
    keys.tokens = [(name, b"9" * 32)]
    return keys


@given(
    user=IDS, domain=IDS, scope=IDS, roles=ROLES, methods=st.sets(st.sampled_from(METHODS)),
    kind=st.sampled_from(ScopeKind), restricted=st.booleans(), epoch=st.integers(0, 2**40),
)  # fmt: skip
def test_a_token_says_what_it_was_given(
    user: str, domain: str, scope: str, roles: list[str], methods: set[str],
    kind: ScopeKind, restricted: bool, epoch: int,
) -> None:  # fmt: skip
    given_token = Token(
        user_id=user, user_domain_id=domain, kind=kind, scope_id=scope, scope_domain_id=domain,
        roles=tuple(roles), methods=tuple(methods), issued_at=1_800_000_000,
        expires_at=1_800_003_600, epoch=epoch, audit_id=new_audit_id(),
        parent_audit_id=new_audit_id(), credential_id=user, restricted=restricted,
    )  # fmt: skip
    one, _, _ = ring()
    sealed = one.seal(pack(given_token))
    assert len(sealed) <= LONGEST
    found = unpack(one.open(sealed))
    assert set(found.methods) == methods
    assert found.roles is None or set(found.roles) == set(roles)
    assert found == msgspec_replace(given_token, roles=found.roles, methods=found.methods)


def msgspec_replace(token: Token, **changes: object) -> Token:
    import msgspec

    return msgspec.structs.replace(token, **changes)


def test_roles_that_do_not_fit_are_left_to_the_grants() -> None:
    long = tuple(f"a-role-with-a-long-name-{at}" for at in range(20))
    packed = pack(Token(user_id="u", user_domain_id="d", roles=long, audit_id=new_audit_id()))
    assert unpack(packed).roles is None
    assert len(packed) < 100


@pytest.mark.parametrize("payload", [b"", b"\x90", b"\xc0", b"\x9f"])
def test_a_payload_of_another_layout_is_refused(payload: bytes) -> None:
    with pytest.raises(Broken):
        unpack(payload)
