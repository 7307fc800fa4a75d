//! `responsibility.csv`: per service the owner of each of the 15 layers. A table, so that a person can compare columns.

use model::{Layer, Owner, ServiceClass};

use crate::format::Responsibility;

/// Reads the table (RFC 4180). The error is a line number and what is wrong there.
pub(crate) fn read(text: &str) -> Result<Vec<Responsibility>, (usize, String)> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(i, l)| (i + 1, l)) {
        let cells = cells(line).ok_or((number, "a quote is not closed".to_owned()))?;
        if number == 1 {
            let layers: Vec<&str> = Layer::ALL.iter().map(|l| l.name()).collect();
            if cells.get(3..18).is_none_or(|names| names != layers.as_slice()) {
                return Err((1, "the columns are not service, cfn_prefix, class, the 15 layers in order, note".to_owned()));
            }
            continue;
        }
        rows.push(row(&cells).map_err(|message| (number, message))?);
    }
    Ok(rows)
}

fn row(cells: &[String]) -> Result<Responsibility, String> {
    let [service, prefix, class, rest @ ..] = cells else { return Err("too few cells".to_owned()) };
    let [owners @ .., note] = rest else { return Err("too few cells".to_owned()) };
    let owners: Option<Vec<Owner>> = owners.iter().map(|o| Owner::from_name(o)).collect();
    let owners = owners.filter(|o| o.len() == Layer::ALL.len()).ok_or("each layer's owner is aws, customer, shared or na")?;
    let class = ServiceClass::from_name(class).ok_or_else(|| format!("`{class}` is not a class of service"))?;
    let prefix = Some(prefix.clone()).filter(|p| p != "-");
    Ok(Responsibility { service: service.clone(), prefix, class, owners, note: note.clone() })
}

fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cells.last_mut()?.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut()?.push(c),
        }
    }
    (!quoted).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_reads() {
        let rows = read(include_str!("../responsibility.csv")).unwrap();
        assert!(rows.len() > 140);
        let s3 = rows.iter().find(|r| r.prefix.as_deref() == Some("AWS::S3")).unwrap();
        assert_eq!(s3.owner(Layer::FacilitiesMedia), Owner::Aws);
        assert_eq!(s3.owner(Layer::CustomerData), Owner::Customer);
    }

    #[test]
    fn a_wrong_table_names_the_line() {
        let text = include_str!("../responsibility.csv").replacen("infrastructure", "nonsense", 1);
        assert_eq!(read(&text).unwrap_err().0, 2);
        assert_eq!(cells("\"a, \"\"b\"\"\",c").unwrap(), ["a, \"b\"", "c"]);
        assert_eq!(cells("\"a"), None);
    }
}
