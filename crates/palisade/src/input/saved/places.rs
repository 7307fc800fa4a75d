//! Where in a saved answer a resource stands: the first line on which its identifier, or else its name, is a whole value.

use std::collections::{BTreeMap, HashMap};

use model::{Resource, Span};

/// Longer files are not looked through: their lines would be of no use to a reader.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Gives each resource that names its file, but no place in it, the line that it begins to be told of.
pub(super) fn fill_in(resources: &mut [Resource]) {
    let mut by_file: BTreeMap<String, Vec<&mut Resource>> = BTreeMap::new();
    for resource in resources.iter_mut().filter(|r| r.origin.span.is_none()) {
        if let Some(file) = resource.origin.file.clone() {
            by_file.entry(file.to_string()).or_default().push(resource);
        }
    }
    for (file, resources) in by_file {
        if std::fs::metadata(&file).map_or(true, |m| m.len() > FILE_BYTES_MAX) {
            continue;
        }
        // What is not UTF-8 was made so when it was read; its lines are then not known.
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let lines = first_lines(&text);
        for resource in resources {
            resource.origin.span = names(resource).into_iter().find_map(|name| lines.get(name).copied());
        }
    }
}

/// What a resource may be called in its answer, the surest first.
fn names(resource: &Resource) -> Vec<&str> {
    let reference = resource.attrs.get("Ref").and_then(model::Value::as_str);
    [Some(&*resource.id), reference, resource.name.as_deref()].into_iter().flatten().collect()
}

/// Every value of a line, and where it first stands: what is in quotes, or what follows a colon or dash in YAML.
fn first_lines(text: &str) -> HashMap<&str, Span> {
    let mut found = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        for (start, value) in values(line) {
            let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
            let column = u32::try_from(start + 1).unwrap_or(u32::MAX);
            let end_column = column.saturating_add(u32::try_from(value.chars().count()).unwrap_or(u32::MAX));
            found.entry(value).or_insert(Span { line, column, end_line: line, end_column });
        }
    }
    found
}

/// The values of a line, each with the number of characters before it.
fn values(line: &str) -> Vec<(usize, &str)> {
    if line.contains('"') {
        // A quoted value; one with escapes in it is not found, and has no place then.
        let mut column = 0;
        let mut out = Vec::new();
        for (n, part) in line.split('"').enumerate() {
            if n % 2 == 1 {
                out.push((column, part));
            }
            column += part.chars().count() + 1;
        }
        return out;
    }
    let plain = line.trim_start_matches([' ', '-']);
    let value = plain.split_once(": ").map_or(plain, |(_, value)| value).trim().trim_matches('\'');
    let before = line.rfind(value).and_then(|at| line.get(..at)).map_or(0, |before| before.chars().count());
    if value.is_empty() { Vec::new() } else { vec![(before, value)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_their_columns() {
        assert_eq!(values("  \"VpcId\": \"vpc-1\","), [(3, "VpcId"), (12, "vpc-1")]);
        assert_eq!(values("- VpcId: vpc-1"), [(9, "vpc-1")]);
        assert_eq!(values("  Name: 'a'"), [(9, "a")]);
        assert_eq!(values("  }"), [(2, "}")]);
        let lines = first_lines("{\"Vpcs\": [\n  {\"VpcId\": \"vpc-1\"},\n  {\"VpcId\": \"vpc-2\", \"x\": \"vpc-1\"}\n]}");
        assert_eq!((lines["vpc-1"].line, lines["vpc-2"].line, lines["vpc-2"].column), (2, 3, 14));
    }
}
