//! Rows of text under headings, each column as wide as its widest cell.

use crate::failure::Failure;
use crate::terminal::{Out, harmless};

/// A table that is being filled.
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Only headings yet.
    pub(crate) fn new(headings: &[&'static str]) -> Self {
        Self {
            headings: headings.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: as many cells as there are headings. What came over the network may be among them.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let one_line = |cell: String| harmless(&cell.replace(['\n', '\t'], " ")).into_owned();
        self.rows.push(cells.into_iter().map(one_line).collect());
    }

    /// Writes it.
    pub(crate) fn show(&self, out: &mut Out) -> Result<(), Failure> {
        let lines = self.lines();
        let (heading, rows) = lines.split_at(1.min(lines.len()));
        for line in heading {
            let line = out.dim(line);
            out.line(&line)?;
        }
        for line in rows {
            out.line(line)?;
        }
        Ok(())
    }

    /// Its lines, the headings first.
    pub(crate) fn lines(&self) -> Vec<String> {
        let headings: Vec<String> = self.headings.iter().map(|&cell| cell.to_owned()).collect();
        let all = std::iter::once(&headings).chain(&self.rows);
        all.map(|row| self.line(row)).collect()
    }

    fn line(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let width = self.width(column);
            let gap = width - cell.chars().count();
            line.push_str(cell);
            line.push_str(&" ".repeat(gap + 2));
        }
        line.trim_end().to_owned()
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let widths = cells.map(|cell| cell.chars().count());
        let heading = self
            .headings
            .get(column)
            .map_or(0, |cell| cell.chars().count());
        widths.fold(heading, usize::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["name", "id"]);
        table.row(["ñandú-largo".to_owned(), "1".to_owned()]);
        table.row(["a\x1b[2J".to_owned(), String::new()]);
        assert_eq!(table.line(&table.rows[0]), "ñandú-largo  1");
        assert_eq!(table.line(&table.rows[1]), "a\\u{1b}[2J");
    }
}
