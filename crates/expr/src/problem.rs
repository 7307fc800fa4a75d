//! What is wrong with a check's text.

use model::Span;

/// One thing that is wrong with an expression or template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, in lines and characters from 1, within the compiled text.
    pub span: Span,
    /// Where, as byte offset from 0.
    pub offset: usize,
    /// How many bytes are concerned; 0 at the end of the text.
    pub len: usize,
    /// What is wrong: lower-case, user text in backticks, no full stop.
    pub message: String,
    /// The way out, where one is known.
    pub help: Option<String>,
}

impl Problem {
    pub(crate) fn new(source: &str, at: usize, end: usize, message: impl Into<String>) -> Problem {
        let (line, column) = place(source, at);
        let (end_line, end_column) = place(source, end.max(at));
        Problem {
            span: Span { line, column, end_line, end_column },
            offset: at,
            len: end.saturating_sub(at),
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }
}

impl std::fmt::Display for Problem {
    /// `3:14: no property ...; help: ...`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.span.line, self.span.column, self.message)?;
        match &self.help {
            Some(help) => write!(f, "; help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// Line and column of a byte offset, both from 1, columns in characters.
fn place(source: &str, at: usize) -> (u32, u32) {
    let before = source.get(..at).unwrap_or(source);
    let line = before.matches('\n').count() as u32 + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() as u32 + 1;
    (line, column)
}

/// The candidate that `name` was probably meant to be. Of equally near ones the first counts.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let allowed = (name.chars().count() / 3).clamp(1, 4);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = if candidate.eq_ignore_ascii_case(name) {
            0
        } else if name.len() >= 4 && (candidate.starts_with(name) || (candidate.len() >= 4 && name.starts_with(candidate))) {
            edits(name, candidate).min(allowed)
        } else {
            edits(name, candidate)
        };
        if distance <= allowed && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Edits that lead from `a` to `b`, two neighbours changing places counting as one, over the first 64 characters, case ignored.
fn edits(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().take(64).flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut least = (at(&last, j) + usize::from(x != y)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                least = least.min(at(&before, j - 1) + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters() {
        let problem = Problem::new("ä\nö + x", 6, 8, "m");
        assert_eq!((problem.span.line, problem.span.column), (2, 3));
        assert_eq!(problem.to_string(), "2:3: m");
    }

    #[test]
    fn suggests_what_is_near() {
        let names = ["VersioningConfiguration", "LifecycleConfiguration", "Tags"];
        assert_eq!(nearest("VersioningConfig", names), Some("VersioningConfiguration"));
        assert_eq!(nearest("Tgas", names), Some("Tags"));
        assert_eq!(nearest("VersionningConfiguration", names), Some("VersioningConfiguration"));
        assert_eq!(nearest("tags", names), Some("Tags"));
        assert_eq!(nearest("Zzz", names), None);
        assert_eq!(edits("kitten", "sitting"), 3);
    }
}
