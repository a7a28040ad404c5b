#!/usr/bin/env python3
"""What Doxygen reads: copies of the headers and of the pages in Markdown, below a folder of their own.

The headers say once what holds for many declarations. In the copies it is repeated, without changing the number of any
line:

- the comment at the top of a header describes its group of functions and classes, named by the header;
- a comment stands for the functions right below it as well, up to an empty line or the next comment; within a class for
  those of the same name, or for all between /// @{ and /// @};
- options are introduced by what takes them, and what every layer, criterion and optimizer has is described once.

    sources.py FOLDER FILE...      writes the copies
    sources.py --carried FILE...   lists the declarations that take their comment from one above
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What is said of members that many classes have, where the header says nothing. \0 is the name of the class.
CONVENTIONS = [
    (r"static constexpr const char\* kName\b", "Its name in configurations and messages."),
    (r"static constexpr bool kIsLimit\b", "It is asked before training goes on, too."),
    # Options.
    (r"using Options =", "The options that it is made from."),
    (r"const Options& options\(\) const", "The options that it was made from."),
    (r"(const )?Options options_;", "The options that it was made from."),
    (r"using \w+Table = config::Registry<", "A table of them, by the names that configurations use."),
    (r"(explicit )?\0\((typename )?\w*?Options ",
     "Made from its options. Throws ValueError for options that do not go together."),
    (r"(explicit )?\0\(.*\) : \w+\(\w*Options\{", "Made from the options of these names; the others have their defaults."),
    # Layers.
    (r"static Shape infer\(",
     "Follows the shape of one sample, without the batch axis, through the layer, and fills in sizes that the options "
     "leave out. Throws ShapeError for an input that does not fit."),
    (r"Tensor& \w+ = (this->)?(param|buffer)\(.*: Tensor\(", "Undefined where the options do without it."),
    (r"Tensor& \w+ = (this->)?param\(", "A parameter."),
    (r"(std::string )?extra_repr\(", "What a print-out says in the parentheses: the options."),
    (r"(MultiheadAttention|Linear|Dropout|LayerNorm|ModuleList) ?&", "A part of it, under this name."),
    (r"std::unique_ptr<\w+> \(\*make\)|std::shared_ptr<\w+> \(\*make\)", "From its options."),
    (r"\w+ operator\(\)\(Arg ", "Runs forward() of the same arguments, between the hooks."),
    (r"\w+ forward\((?!.*override)", "What operator() runs, without hooks."),
    # Optimizers and schedules.
    (r"static std::vector<StateEntry> state\(", "What is remembered of each parameter."),
    (r"static void update\(", "One step of one parameter, in place."),
    (r"static void (check|check_parameter)\(", "Throws ValueError for what the bounds of single options cannot say."),
    (r"static void prepare\(", "Sets the rates from which the groups begin."),
    (r"static double first_rate\(", "The learning rate of a group in epoch 0."),
    (r"static double rate\(", "The learning rate of a group in an epoch from 1 on."),
    (r"static double momentum\(", "The momentum of a group in an epoch."),
    # Criteria and metrics.
    (r"Text look\(", "The reason to stop now, or nothing."),
    (r"std::optional<double> compute\(\) const", "The figure of the sums."),
    (r"static bool is_length\(", "Whether so many sums can be its state."),
    (r"static double figure\(", "The figure of one class."),
    (r"static Tensor cost\(", "What the elements of a difference cost."),
    (r"static double of_mean\(", "The figure of a mean cost."),
    # Every class.
    (r"(explicit )?\0\(const \0&|\0& operator=\(const \0&", "Copies it."),
    (r"\0\(\0&&|\0& operator=\(\0&&", "Moves it."),
    (r"using (value_type|iterator|const_iterator|iterator_category|difference_type|pointer|reference) =|"
     r"[^(=]*\b(size|empty|data|begin|end|front|back|reserve|push_back|emplace_back|pop_back|clear|resize)\(|"
     r"[^(=]*\boperator(\[\]|==|\+\+|\*|->)\(", "As in the standard library."),
]
NOT_FOR_READERS = re.compile(
    r"(extern )?(template (<[^;{]*>)?\s*)?(inline )?void describe\(|friend |\[\[noreturn\]\] |"
    r"using (\w+::)*(?P<base>\w+)(<.*>)?::(?P=base);")


def main():
    for name in sys.argv[2:]:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        source = Header(path, text) if path.suffix == ".h" else None
        if sys.argv[1] == "--carried":
            print("\n".join(source.carried))
            continue
        copy = Path(sys.argv[1]) / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source.result if source else page(path, text), encoding="utf-8")


# ---- Pages.


def page(path, text):
    """Links to folders and files that are no pages become plain text; those to headings, what Doxygen understands."""
    def link(match):
        target, _, anchor = match[2].partition("#")
        if "://" in target:
            return match[0]
        if target.endswith((".svg", ".png")):
            return f"[{match[1]}]({Path(target).name})"
        other = (path.parent / target).resolve()
        if not target or (other.suffix == ".md" and other.exists()):
            return f"[{match[1]}](@ref {label(other if target else path)}{'_' + anchor if anchor else ''})"
        return match[1]

    used = set()

    def heading(match):
        if match[1] == "#":
            return f"# {match[2]} {{#{'mainpage' if label(path) == 'README' else label(path)}}}"
        anchor = slug(match[2])
        if anchor in used or len(match[1]) > 2:  # deeper ones may only stand below others of Doxygen's
            return match[0]
        used.add(anchor)
        return f"{match[0]} {{#{label(path)}_{anchor}}}"

    blocks = re.split(r"(^```.*?^```$)", text, flags=re.M | re.S)
    for i in range(0, len(blocks), 2):  # what is no code
        block = re.sub(r"(?<!!)\[([^\]]*)\]\(([^)]*)\)", link, blocks[i])
        block = re.sub(r"!\[([^\]]*)\]\([^)]*?([^/)]*)\)", r"![\1](\2)", block)  # pictures are found by their names
        blocks[i] = re.sub(r"^(#+) (.*)$", heading, block, flags=re.M)
    return "".join(blocks)


def label(path):
    return path.relative_to(ROOT).as_posix().removesuffix(".md").replace("/", "_")


def slug(heading):
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-"))


# ---- Headers.


class Scope:
    def __init__(self, kind, name="", public=True):
        self.kind, self.name, self.public = kind, name, public
        self.doc = ""  # of the declaration before, for those right below it
        self.member = ""  # its name
        self.together = False  # within /// @{ and /// @}


class Header:
    """Reads a header declaration by declaration; `result` is the text with the comments that were missing."""

    def __init__(self, path, text):
        self.text, self.path = text, path
        self.name = path.relative_to(ROOT).as_posix()
        self.lines = text.split("\n")
        self.carried = []
        self.scopes = [Scope("namespace")]
        self.doc = []
        self.virtuals = {}  # documented ones, for classes made of templates, to which Doxygen does not carry them
        last = len(self.lines)
        i = self.introduce()
        while i < last:
            i = self.line(i)
        self.result = "\n".join(self.lines)

    def introduce(self):
        """Makes the comment at the top the description of the header's group."""
        end = next(i for i, line in enumerate(self.lines) if line.startswith("#pragma once"))
        words = [re.sub(r"^// ?", "", line) for line in self.lines[:end]]
        # An indented part of the comment is code, which Markdown wants indented by four.
        words = [re.sub(r"^  (?=\S|  )", "    ", word) for word in words]
        group = re.sub(r"\W", "_", self.name)
        folder = self.name.rpartition("/")[0].replace("/", "_")
        self.lines[: end + 1] = [""] * (end + 1)
        # The group stands within the namespace, or it would have the namespace alone.
        first = next((i for i, line in enumerate(self.lines) if line.startswith("namespace eigengrad")), None)
        if first is not None:
            last = max(i for i, line in enumerate(self.lines) if line.startswith("}  // namespace eigengrad"))
            self.lines[first] += f" /** @addtogroup {group}"
            self.lines[first + 1] = "@{ */" + self.lines[first + 1]
            self.lines[last] = "/** @} */ " + self.lines[last]
        self.lines += [f"/** @defgroup {group} {self.name.removeprefix('include/eigengrad/')}", f"@ingroup {folder}", "", *words, "*/"]
        return end + 1

    def line(self, i):
        line = self.lines[i].strip()
        scope = self.scopes[-1]
        if not line or line.startswith(("#", "@{ */")):
            self.doc, scope.doc = [], ""
        elif line in ("/// @{", "/// @}"):
            scope.together = line == "/// @{"
            scope.doc = " ".join(self.doc)
            self.lines[i] = ""
        elif line.startswith("///"):
            if not self.doc:
                scope.doc = ""
            self.doc.append(line.removeprefix("///").strip())
        elif line.startswith("//"):
            scope.doc = ""
            if line.startswith("// ----"):
                self.doc = []
        elif re.fullmatch(r"(public|protected|private):", line):
            self.doc, scope.doc = [], ""
            scope.public = line != "private:"
        elif line.startswith(("}", "/** @} */")):
            if len(self.scopes) > 1:
                self.scopes.pop()
            self.doc, self.scopes[-1].doc = [], ""
        else:
            return self.declaration(i)
        return i + 1

    def declaration(self, first):
        """From the line where a declaration begins to the one after its end, or after the brace that opens a scope."""
        depth = 0
        scope = self.scopes[-1]
        text = ""
        for i in range(first, len(self.lines)):
            code = without_comments(self.lines[i])
            text += code.strip() + " "
            opens = re.match(r"(template <.*> )?(requires\s?\(.*?\) )?(inline )?(namespace|class|struct|enum class|enum|extern|union)\b ?(\[\[\w+\]\] )?([\w:<>, ]*)[^;()={]*(\([^;{]*\))?[^;(={]*\{$", text.strip())
            if opens and depth == 0:
                return self.open_scope(first, i, opens[4], opens[6].split(" : ")[0].strip(), text)
            depth += sum(code.count(c) for c in "{(") - sum(code.count(c) for c in "})")
            if depth == 0 and re.search(r"[;}]\s*$", code):
                break
        trailing = re.search(r"\s*///<\s*(.*)", self.lines[i])
        doc = "" if trailing else self.documentation(text.strip(), scope, first)
        if trailing:
            scope.doc = ""
            names = declarators(text.strip())
            if first == i and len(names) > 1:  # Doxygen gives the comment to the last of them only
                self.lines[i] = " ".join(f"/** {trailing[1]} */ {name};" for name in names)
        self.finish(first, i, text.strip(), doc, scope)
        return i + 1

    def open_scope(self, first, last, kind, name, text):
        scope = self.scopes[-1]
        if kind in ("class", "struct") and not self.doc and scope.public:
            doc = options_of(self.text, name)
            if doc:
                self.insert(first, doc)
        self.doc, scope.doc = [], ""
        inner = Scope(kind, name, kind != "class" and scope.public)
        if name.split("::")[-1] == "detail":
            inner.public = False
        if re.search(r"\}\s*;?\s*$", without_comments(self.lines[last])):
            return last + 1
        self.scopes.append(inner)
        return last + 1

    def documentation(self, text, scope, first):
        if self.doc:
            scope.doc, scope.member = " ".join(self.doc), name_of(text)
            if text.startswith("virtual"):
                self.virtuals.setdefault(scope.member, scope.doc)
            return ""
        if scope.kind.startswith("enum") or not scope.public:
            return ""
        if scope.doc and (scope.kind == "namespace" or scope.together or (scope.member and scope.member == name_of(text))):
            self.carried.append(f"{self.name}:{first + 1}: {text[:90]}  <-  {scope.doc[:100]}")
            return scope.doc
        plain = re.sub(r"^(template <.*?> )?(requires.*?\) )?((inline|constexpr) )*", "", text)
        if re.search(r"\b(override|final)\b", text) and name_of(text) in self.virtuals:
            return self.virtuals[name_of(text)]
        for pattern, doc in CONVENTIONS:
            if (scope.kind != "namespace" or pattern.startswith("using")) and re.match(pattern.replace(r"\0", re.escape(scope.name)), plain):
                return doc
        return ""

    def finish(self, first, last, text, doc, scope):
        if NOT_FOR_READERS.match(text):
            for i in range(first, last + 1):
                self.lines[i] = ""
            for i in range(first - len(self.doc), first):
                self.lines[i] = ""
        elif doc or self.doc:
            names = declarators(text)
            if first == last and len(names) > 1:
                doc = doc or " ".join(self.doc)
                self.lines[first] = " ".join(f"/** {doc} */ {name};" for name in names)
            elif doc:
                self.insert(first, doc)
        self.doc = []

    def insert(self, i, doc):
        indent = len(self.lines[i]) - len(self.lines[i].lstrip())
        self.lines[i] = " " * indent + f"/** {doc} */ " + self.lines[i].lstrip()


def options_of(text, name):
    """A sentence about an options struct: which functions, or classes, of its header take it."""
    plain = re.escape(name)
    if not name.endswith("Options") and "OptionsOf" not in name:
        return ""
    users = [f"{f}()" for f in re.findall(r"(\w+)\([^;{]*\bconst " + plain + r"& options", text)]
    users += re.findall(r"class (\w+)[^;{]*<[^;{]*\b" + plain + r"\b[^;{]*\{", text)
    users += re.findall(r"class (\w+)[^;{]*\{(?:(?!\n\};).)*?using Options = " + plain + r"\b", text, re.S | re.M)
    users += re.findall(r"using (\w+) = [\w:]+<" + plain + r"\b", text)
    users = list(dict.fromkeys(users)) or [re.sub(r"Options(Of)?$", "", name)]
    return "Options of " + (" and ".join([", ".join(users[:-1]), users[-1]]) if len(users) > 1 else users[0]) + "."


def declarators(text):
    """`T a = 1, b;` as two declarations."""
    if name_of(text):
        return [text]
    parts, depth, begin = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "<({[") - (c in ">)}]")
        if c in ",;" and depth == 0:
            parts.append(text[begin:i].strip())
            begin = i + 1
    type_and_name = re.match(r"(.*[\s>])([&*]*\w+\b.*)", re.sub(r"( =|\{).*", "", parts[0])) if parts else None
    if len(parts) < 2 or not type_and_name:
        return [text]
    kind = type_and_name[1].strip()
    return [parts[0]] + [f"{kind} {part}" for part in parts[1:]]


def name_of(text):
    """The name of the function that is declared, if it is one."""
    match = re.match(r"[^(=]*?\b(operator\W+|\w+)\(", text)
    return match[1] if match else ""


def without_comments(line):
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    line = re.sub(r"'(\\.|[^'\\])'", "''", line)
    return re.sub(r"(//|/\*\* @add).*", "", line).rstrip()


if __name__ == "__main__":
    main()
