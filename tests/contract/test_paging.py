"""Lists by pages while others write: whatever is added or removed between two pages, an entry comes
once at most, one that was there all the time comes, and in the order that the whole list has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.whole.lists import LISTS, Listed, Maker
from tests.contract.whole.world import Whole, whole
from tests.rehearsal import rehearsed

MOST = 60  # pages, before a list is taken for endless
UNLIMITED = {
    "/network/v2.0/quotas": {"quota": dict.fromkeys(
        ("network", "subnet", "port", "router", "floatingip", "security_group",
         "security_group_rule"), -1)},
    "/compute/v2.1/os-quota-sets": {"quota_set": {"instances": -1, "cores": -1, "ram": -1}},
}  # fmt: skip

names = st.sampled_from(["a", "b", "c"])  # few, so that many are the same
acts = st.lists(
    st.one_of(st.tuples(st.just("add"), names), st.tuples(st.just("take"), st.integers(0, 99))),
    max_size=2,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("whole")) as made:
        admin = made.client("admin", private=True)
        for path, body in UNLIMITED.items():
            admin.put(f"{path}/{made.ids['web']}", body).expect(200)
        yield made


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: listed.tail)
def test_pages_hold_while_others_write(made: Whole, listed: Listed) -> None:
    @settings(max_examples=12, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(
        first=st.lists(names, min_size=1, max_size=5),
        size=st.integers(1, 4),
        between=st.lists(acts, max_size=6),
        sort=st.sampled_from(["", *listed.sorts]),
        reverse=st.booleans() if listed.reverse else st.just(False),
    )
    def hold(first: list[str], size: int, between: list[Any], sort: str, reverse: bool) -> None:
        with rehearsed(made.cloud.database):
            maker = Maker(made, listed)
            walk = Walk(maker, [maker.add(name) for name in first], sort, reverse)
            walk.go(size, between)
            walk.check()

    hold()


class Walk:
    """One way through a list, page by page."""

    def __init__(self, maker: Maker, own: list[str], sort: str, reverse: bool) -> None:
        self.maker, self.own, self.reverse = maker, own, reverse
        self.sort = f"&{sort}" if sort else ""
        self.always = set(self.whole())
        self.seen: list[str] = []
        assert set(own) <= self.always

    def whole(self) -> list[str]:
        """The list as it is now, in one page."""
        return self.maker.page(f"limit=1000{self.sort}")

    def go(self, size: int, between: list[Any]) -> None:
        marker = ""
        for at in range(MOST):
            back = "&page_reverse=true" if self.reverse else ""
            page = self.maker.page(f"limit={size}{marker}{self.sort}{back}")
            assert len(page) <= size
            if not page:
                return
            self.seen += page[::-1] if self.reverse else page
            marker = f"&marker={self.seen[-1]}"
            for act in between[at] if at < len(between) else ():
                self.act(*act)
        raise AssertionError(f"after {MOST} pages there are still more")

    def act(self, what: str, which: Any) -> None:
        """What another writer does; the marker's own row stays."""
        if what == "add":
            self.own.append(self.maker.add(which))
            return
        free = [each for each in self.own if each != self.seen[-1]]
        if free and self.maker.listed.remove:
            key = free[which % len(free)]
            self.own.remove(key)
            self.always.discard(key)
            self.maker.take(key)

    def check(self) -> None:
        assert len(self.seen) == len(set(self.seen)), "an entry came twice"
        assert self.always <= set(self.seen), "an entry that was there all the time is lost"
        order = {key: at for at, key in enumerate(self.whole())}
        places = [order[key] for key in self.seen if key in order]
        assert places == sorted(places, reverse=self.reverse), "pages have another order"


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: listed.tail)
def test_a_page_after_what_is_none_is_refused(made: Whole, listed: Listed) -> None:
    with rehearsed(made.cloud.database):
        maker = Maker(made, listed)
        answer = maker.client.get(f"{listed.path}?limit=1&marker=no-such-entry")
    by_name = listed.key == "name" or listed.put  # a place in an order of names, taken or not
    assert answer.status in ((200, 400) if by_name else (400, 404)), answer.body
