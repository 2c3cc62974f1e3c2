"""Aliases: what a visitor says at the desk instead of a name. Two plain words and a number, easy to say and to spell.

The words are of weather, colours of things, plants and animals: none describes a person.
"""

from __future__ import annotations

import re
import secrets
import unicodedata


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words("""
    amber autumn bamboo basalt breezy bright bronze canyon cedar chalk cherry clay clear cloud clover cobalt coral
    cotton crimson crystal dawn desert dune dusk echo ember emerald evening fern field flint forest frost garden
    ginger glacier golden granite harbor harvest hazel hill honey indigo island ivory jade jasmine lake lantern
    laurel lemon lilac linen lotus lunar maple marble meadow mellow mint misty moonlit morning moss mountain nectar
    ocean olive opal orchard pearl pepper pine plum polar pond prairie quartz quiet rain ridge river ruby saffron
    sandy sapphire scarlet shore silver sky snow solar spring stone summer sunny swift thunder timber topaz tulip
    valley velvet violet willow winter
""")
_SECOND = _words("""
    acorn anchor antler arrow badger banjo barley basket beacon beetle bell bison bobcat bridge brook buffalo
    butterfly candle canoe cello cobra comet compass condor coyote cricket crocus daisy dolphin donkey dragonfly
    eagle elk falcon feather ferry finch firefly fox gazelle gecko goose guitar gull hammock hawk hedgehog heron
    horizon ibis iris jackal kayak kestrel kite koala ladder lark lemur leopard lily lizard llama lobster lynx
    magnet mango maraca marlin meteor mirror mitten moose narwhal needle newt nutmeg oak orchid oriole osprey otter
    owl paddle panda pebble pelican penguin piano pigeon planet poppy puffin quail rabbit raven robin rocket rooster
    salmon seal shell sparrow spruce squirrel swan tiger toucan trumpet turtle walrus whale windmill wombat wren yak
    zebra
""")


def new_alias() -> str:
    """A random alias, such as `amber falcon 42`."""
    return f"{secrets.choice(_FIRST)} {secrets.choice(_SECOND)} {10 + secrets.randbelow(90)}"


def plain(alias: str) -> str:
    """The one spelling of an alias: however it was typed, with whatever capitals, spaces, hyphens or wide digits."""
    return " ".join(re.findall(r"[a-z]+|[0-9]+", unicodedata.normalize("NFKC", alias).casefold()))
