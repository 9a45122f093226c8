"""OKLab, in which equal steps look equally large (Ottosson 2020, https://bottosson.github.io)."""

import numpy as np
from matplotlib import colors

_CONES = np.array([
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
])
_LAB = np.array([
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
])


def from_hex(colour: str) -> tuple[float, float, float]:
    """Lightness (0 to 1), and the two axes of colour."""
    rgb = np.array(colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lightness, a, b = _LAB @ np.cbrt(_CONES @ linear)
    return float(lightness), float(a), float(b)


def to_hex(lightness: float, a: float, b: float) -> str:
    """The colour of a screen at that lightness; paler where a screen cannot show it as vivid."""
    for share in np.linspace(1, 0, 51):
        cones = np.linalg.solve(_LAB, [lightness, a * share, b * share]) ** 3
        linear = np.linalg.solve(_CONES, cones)
        if -1e-4 <= linear.min() and linear.max() <= 1 + 1e-4:
            break
    linear = np.clip(linear, 0, 1)
    rgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return colors.to_hex(np.clip(rgb, 0, 1))
