"""Whether two modules are the same IR up to the names and order of symbols and of SSA values."""
import re

WEIGHT = re.compile(r'llm\.weight @("[^"]*"|[^ ]+) : (.*)')


def canonical(text):
    """The module's lines: weights called by what they are and sorted, values numbered by their first use in a function."""
    names, weights, lines = {}, [], []
    for line in text.strip().splitlines():
        if match := WEIGHT.search(line):
            names[match[1]] = match[2]
            weights.append(match[2])
        else:
            lines.append(line.strip())
    values, result = {}, sorted(weights)
    for line in lines:
        if "func.func" in line:
            values = {}
        line = re.sub(r'get_weight @("[^"]*"|[^ \[]+)', lambda m: f"get_weight <{names[m[1]]}>", line)
        line = re.sub(r"%[\w]+", lambda m: values.setdefault(m[0], f"%{len(values)}"), line)
        result.append(line)
    return result


def assert_same(first, second):
    """Names the first line in which two modules differ."""
    one, two = canonical(first), canonical(second)
    for a, b in zip(one, two):
        assert a == b, f"the first difference:\n{a}\n{b}"
    assert len(one) == len(two), "one module has more lines than the other"
