"""Small faults for C++ text: each mutant is one changed place. The text is in the form that clang-format gives it, so a binary
operator has spaces around it, and the brackets of a template have none."""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Mutant:
    begin: int
    end: int
    text: str   # in the place of [begin, end)
    kind: str

    def apply(self, source):
        return source[:self.begin] + self.text + source[self.end:]

    def line_number(self, source):
        return source.count("\n", 0, self.begin) + 1

    def lines(self, source):
        """The line as it was and as it is, without indentation."""
        first = source.rfind("\n", 0, self.begin) + 1
        last = source.find("\n", self.end)
        return source[first:last].strip(), (source[first:self.begin] + self.text + source[self.end:last]).strip()


_SWAPS = {
    "bound": [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > ")],
    "comparison": [(" == ", " != "), (" != ", " == ")],
    "logic": [(" && ", " || "), (" || ", " && ")],
    "arithmetic": [(" + ", " - "), (" - ", " + "), (" * ", " / "), (" / ", " * "), (" % ", " * "), (" += ", " -= "), (" -= ", " += ")],
    "bits": [(" & ", " | "), (" | ", " & "), (" << ", " >> "), (" >> ", " << ")],
    "step": [("++", "--"), ("--", "++")],
    "extreme": [("std::min(", "std::max("), ("std::max(", "std::min("), ("std::min<", "std::max<"), ("std::max<", "std::min<")],
}
_NUMBER = re.compile(r"(?<![\w.'])(\d[\d']*)([UL]*)(?![\w.'])")
_BOOLEAN = re.compile(r"\b(true|false)\b")
_STATEMENT = re.compile(r"^ +(?!return\b|case\b|using\b|throw\b)[\w(*][\w:.>*\[\]()-]*(\([^\n;]*\)| [|&+-]?= [^;\n]+);$", re.MULTILINE)
_IGNORED = re.compile(r"""//[^\n]*|/\*.*?\*/|R"\((.*?)\)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|^[ ]*\#[^\n]*|"""
                      r"""static_assert\([^;]*;|\[\[\w+\]\]|operator\S+""", re.MULTILINE | re.DOTALL)


def _masked(source):
    """As long as the source, with blanks for comments, texts and what is decided when it is compiled."""
    return _IGNORED.sub(lambda found: re.sub(r"[^\n]", "\0", found[0]), source)


def _closing(text, opening):
    depth = 0
    for at in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return None


def all_mutants(source):
    text = _masked(source)
    mutants = []
    for kind, swaps in _SWAPS.items():
        for was, becomes in swaps:
            for at in re.finditer(re.escape(was), text):
                mutants.append(Mutant(at.start(), at.end(), becomes, kind))
    for at in _NUMBER.finditer(text):
        mutants.append(Mutant(at.start(1), at.end(1), str(int(at[1].replace("'", "")) + 1), "constant"))
    for at in _BOOLEAN.finditer(text):
        mutants.append(Mutant(at.start(), at.end(), "false" if at[1] == "true" else "true", "constant"))
    for at in re.finditer(r"\bif \(", text):
        opening = at.end() - 1
        closing = _closing(text, opening)
        if closing is not None and "\n" not in text[opening:closing] and ";" not in text[opening:closing]:
            mutants.append(Mutant(opening + 1, closing, f"!({source[opening + 1:closing]})", "condition"))
    for at in _STATEMENT.finditer(text):
        begin = at.start() + len(at[0]) - len(at[0].lstrip())
        mutants.append(Mutant(begin, at.end(), ";", "left out"))
    return sorted(mutants, key=lambda mutant: (mutant.begin, mutant.text))
