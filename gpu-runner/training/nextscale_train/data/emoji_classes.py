"""The classes of the emoji pictures and the glyphs each is drawn with."""

VARIATION = "\ufe0f"

# Order is the class index of the shipped model: new classes go to the end.
GLYPHS: dict[str, str] = {
    "cat": "🐱😺😸",
    "dog": "🐶🐕",
    "fox": "🦊",
    "panda": "🐼",
    "lion": "🦁",
    "tiger": "🐯",
    "bear": "🐻",
    "koala": "🐨",
    "frog": "🐸",
    "monkey": "🐵🐒",
    "pig": "🐷🐖",
    "cow": "🐮",
    "rabbit": "🐰",
    "chicken": "🐔🐓",
    "penguin": "🐧",
    "owl": "🦉",
    "octopus": "🐙",
    "fish": "🐠🐟🐡",
    "butterfly": "🦋",
    "ladybug": "🐞",
    "apple": "🍎🍏",
    "banana": "🍌",
    "strawberry": "🍓",
    "watermelon": "🍉",
    "pizza": "🍕",
    "burger": "🍔",
    "donut": "🍩",
    "ice cream": "🍦🍨",
    "cake": "🎂🍰",
    "mushroom": "🍄",
    "car": "🚗🚕🚙",
    "bus": "🚌🚎",
    "rocket": "🚀",
    "airplane": "✈️",
    "sailboat": "⛵",
    "house": "🏠🏡",
    "castle": "🏰",
    "tree": "🌳🌲",
    "cactus": "🌵",
    "sunflower": "🌻",
    "rose": "🌹",
    "sun": "🌞☀️",
    "moon": "🌝🌙",
    "star": "⭐🌟",
    "snowman": "⛄☃️",
    "fire": "🔥",
    "heart": "❤️💙💚💛💜",
    "soccer ball": "⚽",
    "basketball": "🏀",
    "guitar": "🎸",
    "gift": "🎁",
    "balloon": "🎈",
    "crown": "👑",
    "gem": "💎",
    "ghost": "👻",
    "robot": "🤖",
    "alien": "👽",
    "pumpkin": "🎃",
    "skull": "💀",
    "clown": "🤡",
}


def glyphs_of(name: str) -> list[str]:
    """The glyphs of a class; a variation selector belongs to the character before it."""
    glyphs: list[str] = []
    for character in GLYPHS[name]:
        if character == VARIATION:
            glyphs[-1] += character
        else:
            glyphs.append(character)
    return glyphs
