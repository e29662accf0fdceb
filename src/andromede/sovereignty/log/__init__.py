"""The transparency log: leaves written beside every act, a sequencer that numbers and hashes them."""

from andromede.sovereignty.log.leaves import Leaf, append

__all__ = ["Leaf", "append"]
