"""Pickles of version 0.1.0, whose modules had other names, still load."""

import base64
import pickle
from typing import Any

import numpy as np
import pytest
from support.processes import run

import numact
from numact import diagnostics, init, norm

# Written by version 0.1.0: what it is, and its pickle.
PICKLES = {
    "ufunc": ("fCQBr000000001t4sLaAVPkYIUv*}6Zew$lj09(8Y;}~Alr8"),
    "par": ("fCQBp000000001t25xn2VPkZZj0$XJVQYC`a%F6Fl#`S$"),
    "soft": ("fCQBs000000001t3~qI8VPkYIUtxG@bCiq+b8lvJZDDwnlaww"),
    "masked": ("fCQBq000000001t25xn2VPkZZj0<vQY;|94VRLI`WR#PXE&"),
    "split": ("fCQBo000000001t25xn2VPkZZj0tCKbzgIEY-x0qlaww"),
    "drop": ("fCQBt000000001t4Q_R9VPkYIUu|J?Yjc#02V`<@aBp>Vl#`S$"),
    "prelu": ("fCQBu000000001t5N>sCVPkYIUt@1=aBp*EWR#2raB^jAb(E8oE&"),
    "mask": ("fCQB+000000001t4Q_R9VPkYIUu|J?Yjc#02SRCdO<{9ul#`T00>BTHO9M*;hLnbsQj{("),
    "summary": (
        "fCQCm000000001t5^i;EVPkYIUvqR}bZK*RX=8Jgj0aP7ZEaz4d6bisDS?z-lqgFKM*si-0000007pOhHcgUjn<z&B000000000-"
        "0000000000M*si-0000007n1-00000002h-000000001GVlD"
    ),
    "row": (
        "fCQE4000000001t5^i;EVPkYIUtwc(X?9_BX>V?nj0!<xbZK^BbZKvHl#`Sxfs|d8D2xPhWo&hnj0<IKWo>0{ba!cUWt5Boc$9^d"
        "DU1M=h=_=ZM?c^I0000007pOI00000004{$ZDDvQcq||=DU^&6F(7GXAb21?ATS_hY;$EGFqDi4TQDpjX>MjIl#Br|lqrl<PGM<s"
        "AYpD~AV_I$bZ>4fATls9FfJe<RA^-&WMy(`c42gBc4Z)8bRaMwX>%YjEFfWXAZczOP<d2ua${&LAWA`4AYpD~AXH^;b8m7+Y;Sii"
        "lx1Qr"
    ),
    "monitor": (
        "fCQCD0{{R30001t4{mjBVPkYIUu|!0X>@OLl#CHUV{~bDVRUJ4ZcT4)X>@OLl#`Sxfs}oeD2xVoX>Me1ca%$Hj0<gHcwcB~b98TV"
        "d6Z260*nV=Y+-q2a&we@lqie=VU%b9j0H?#d1Z2xlawielzo&aj0$06bZK^BbZKvHl#B#tWo&hnj0JOOVQ^)XO9X|Kj0bgaWMOn="
        "bCgQ~j0SUba%p5`luH4O2WV+?bZ>HblwFjJ5^i;EVPkYIUvqR}bZK*RX=8Jgj0aP7ZEaz4d6bisDS?z-lqgFKM?c%#(3SuI07pOI"
        "D*$BZ9qmT|000000000-0000000000M*si-0000007n1-00000002h-000000001GVquI1b7^d4ZgiB47H)NIaCt6YV{dY0E^T#e"
        "bZKF7a$$Ltj0|6LWn*t{b98cbV|0|0l#B&#b!~8Yl#B;%WMOi0VR@93luH1GltTexl!ug3lqgF9O9X|KXdjFPWOR9OWt5YYi~?ym"
        "l!=Iklv0!^O9PAnJd{pOPD=m(|Nlz=|Ns9>0CbdMi9;X&000000000000000000000000000000000000001#bd+L@26JI;aBO9i"
        "XdY-GO8|wGXd{P|Qj{o50ZR;plxQf70%kOniHL`kQj{o5186KxPEJby|Ns9=|NsC0O8|6~Vu?dAd|o=e#e}N8Wm^Qk!x<^QX@4WW"
        "4N{-I3k%gf9)`s}zH>f5O<j^d5zNLv3@!RUlysD0bz+PGVw7kLDS?!IlqhHpPG}Hl5oi)i0caCT0caFmlxP?!fs|d8C`$}S00000"
        "00000M?d*CO_FSzC`SMQ00000002h-000000000-0000000000M*si-0000007n1-00000003oTVQ3p@9%vy;0ELujBZrhylqgF9"
        "O9X|KXe)_BAOHXW000000000000000000000000000000000000F-o;VrVdE9%vy;0ELujBZrhylqgF9OALjSXg7&NFaQ7mz+H6F"
        "zq;t6zc0FIzv-e2zl<(AzKkw9KIx(hKQFpyKf36mKV5XuKL7v#K$LWpVs&D5bz&|"
    ),
    "ln": ("fCQBu000000001t3vP97VPkYIZf|mJl#B{&VR>b8Uv6)5ZIqLgE&"),
    "he": ("fCQBt000000001t3vP97VPkYIX>MtBl#B^zWnXS@a&2L3l#`S$"),
    "dead": ("fCQB#000000001t5^i;EVPkYIWNBe%Zf|pRX=8Jgj0$9BVPs!*ZfSILl#`S$"),
}
FUNCTIONS: dict[str, Any] = {
    "ufunc": numact.gelu,
    "par": numact.leaky_relu,
    "soft": numact.softmax,
    "masked": numact.relu_masked,
    "split": numact.glu_split,
    "drop": numact.dropout,
    "prelu": numact.prelu,
    "ln": norm.layer_norm,
    "he": init.he_normal,
    "dead": diagnostics.dead_units,
}


def load(name: str) -> Any:
    """What version 0.1.0 has pickled."""
    return pickle.loads(base64.b85decode(PICKLES[name]))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    """A function is the one that is public today."""
    assert load(name) is FUNCTIONS[name]


def test_values() -> None:
    """A mask, a summary, a row and a monitor have what they had."""
    x = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
    assert load("mask") == numact.relu_masked(x)[1]
    assert load("summary") == diagnostics.summary(x)
    assert load("row").name == "relu"
    assert load("monitor").to_json() == load("monitor").to_json()
    assert set(load("monitor")._layers) == {"a", "b"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_new_pickles_name_public_modules(name: str) -> None:
    """A pickle of today names a public module, where it names one of Python's."""
    pickled = pickle.dumps(FUNCTIONS[name])
    assert pickle.loads(pickled) is FUNCTIONS[name]
    if name != "ufunc":  # NumPy looks for the module of a ufunc by itself
        assert b"numact._" not in pickled


def test_other_names_are_not_found() -> None:
    """The old names lead to what they had; a name that never was does not."""
    code = (
        "import numact; from numact._masks import BitMask; assert BitMask is numact.BitMask\n"
        "for line in ('import numact._nothing', 'from numact._masks import nothing'):\n"
        "    try: exec(line)\n"
        "    except ImportError as error: print(type(error).__name__)"
    )
    assert run(code).stdout.split() == ["ModuleNotFoundError", "ImportError"]
