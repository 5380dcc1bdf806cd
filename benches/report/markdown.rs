//! Numbers and tables as text that reads well both raw and rendered.

/// `1,000,000`.
pub fn grouped(n: impl TryInto<i64>) -> String {
    let n = n.try_into().unwrap_or(i64::MAX);
    let digits = n.unsigned_abs().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if n < 0 { format!("-{text}") } else { text }
}

/// A table; all columns but the first are numbers if `numbers`.
pub fn table(header: &[&str], rows: &[Vec<String>], numbers: bool) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([header[column].chars().count(), 3]).max().unwrap_or(3)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let right = |column: usize| numbers && column > 0;
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().enumerate().map(|(column, cell)| {
            let width = widths[column];
            if right(column) { format!(" {cell:>width$} |") } else { format!(" {cell:<width$} |") }
        });
        format!("|{}\n", padded.collect::<String>())
    };
    let rule = widths.iter().enumerate().map(|(column, width)| {
        let dashes = "-".repeat(width - 1);
        if right(column) { format!(" {dashes}: |") } else { format!(" {dashes}- |") }
    });
    let mut text = line(header.to_vec());
    text.push_str(&format!("|{}\n", rule.collect::<String>()));
    rows.iter().for_each(|row| text.push_str(&line(row.iter().map(String::as_str).collect())));
    text
}
