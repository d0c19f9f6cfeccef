//! Tables whose columns line up.

/// Rows of text under a head; the first columns to the left, numbers to the right.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
    left: usize,
    heads: usize,
}

impl Table {
    /// A table with a head, its first `left` columns flush left.
    #[must_use]
    pub fn new<S: ToString>(left: usize, head: impl IntoIterator<Item = S>) -> Self {
        let mut table = Self { rows: Vec::new(), left, heads: 0 };
        table.head(head);
        table
    }

    /// Adds a row to the head, which must not have rows below it yet.
    pub fn head<S: ToString>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.heads += 1;
        self.row(cells);
    }

    /// Adds a row.
    pub fn row<S: ToString>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(|cell| cell.to_string()).collect());
    }

    /// The lines, indented by two, two blanks between columns, a rule under the head.
    #[must_use]
    pub fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut lines: Vec<String> = self.rows.iter().map(|row| self.line(row, &widths)).collect();
        let rule: usize = widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1);
        if !lines.is_empty() {
            lines.insert(self.heads, format!("  {}", "─".repeat(rule)));
        }
        lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let cells = row.iter().zip(widths).enumerate();
        let pad = |(column, (cell, &width)): (usize, (&String, &usize))| match column < self.left {
            true => format!("  {cell:<width$}"),
            false => format!("  {cell:>width$}"),
        };
        cells.map(pad).collect()
    }
}

/// A number with so many significant digits, plain where that is short, else with an exponent.
#[must_use]
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if !value.is_finite() {
        return "–".into();
    }
    let magnitude = value.abs().log10().floor() as i32;
    match magnitude {
        -5..=6 => {
            let decimals = digits as i32 - 1 - magnitude;
            format!("{value:.*}", decimals.clamp(0, 8) as usize)
        }
        _ => format!("{value:.*e}", digits - 1),
    }
}

/// A count with thin groups: `12,345`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    let parts: Vec<String> =
        [head.to_owned()].into_iter().filter(|head| !head.is_empty()).chain(groups).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_flush_right_and_names_flush_left() {
        let mut table = Table::new(1, ["name", "count"]);
        table.row(["a", "12345"]);
        table.row(["basal", "7"]);
        assert_eq!(table.render(), "  name   count\n  ────────────\n  a      12345\n  basal      7\n");
    }

    #[test]
    fn numbers_have_as_many_digits_as_asked_for() {
        assert_eq!(significant(0.012_345, 3), "0.0123");
        assert_eq!(significant(123.4, 3), "123");
        assert_eq!(significant(-1.5e-9, 2), "-1.5e-9");
        assert_eq!(significant(f64::INFINITY, 2), "–");
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!([7, 999, 1_000, 12_345_678].map(count), ["7", "999", "1,000", "12,345,678"]);
    }
}
