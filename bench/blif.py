"""Writes BLIF."""


class Blif:
    """Lines of a model; `new` names a signal."""

    def __init__(self, name, inputs, outputs):
        self.lines = [f".model {name}", ".inputs " + " ".join(inputs), ".outputs " + " ".join(outputs)]
        self.count = 0

    def new(self):
        self.count += 1
        return f"n{self.count}"

    def names(self, inputs, output, cubes, value=1):
        self.lines.append("\n".join([" ".join([".names", *inputs, output]), *(f"{c} {value}".lstrip() for c in cubes)]))

    def add(self, operands):
        """Sum and carry of two or three bits."""
        s, c = self.new(), self.new()
        if len(operands) == 3:
            self.names(operands, s, ["100", "010", "001", "111"])
            self.names(operands, c, ["11-", "1-1", "-11"])
        else:
            self.names(operands, s, ["10", "01"])
            self.names(operands, c, ["11"])
        return s, c

    def total(self, columns):
        """One bit of each column of bits of one weight, after full adders have added them up."""
        columns = [list(c) for c in columns]
        for k, column in enumerate(columns):
            while len(column) > 1:
                s, c = self.add([column.pop(0) for _ in range(min(3, len(column)))])
                column.append(s)
                if k + 1 == len(columns):
                    columns.append([])
                columns[k + 1].append(c)
        return [column[0] for column in columns]

    def text(self):
        return "\n".join([*self.lines, ".end", ""])
