//! Addresses and references: `module.net["a"].aws_subnet.s[0].id`.

/// The key of one instance of a resource or module.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    /// By `count`.
    Int(i64),
    /// By `for_each`.
    Str(String),
}

/// One step of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Name(&'a str),
    Index(Key),
}

/// More steps than any real reference has.
const STEPS_MAX: usize = 64;

/// The steps of a reference. What is not understood ends it.
pub(crate) fn steps(reference: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = reference;
    while !rest.is_empty() && steps.len() < STEPS_MAX {
        if let Some(inner) = rest.strip_prefix('[') {
            let Some((key, after)) = index(inner) else { break };
            steps.push(Step::Index(key));
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            if name.is_empty() {
                break;
            }
            steps.push(Step::Name(name));
            rest = after;
        }
    }
    steps
}

/// The key at the start of `0]...` or `"a"]...`, and what follows the bracket.
fn index(inner: &str) -> Option<(Key, &str)> {
    if let Some(quoted) = inner.strip_prefix('"') {
        let mut key = String::new();
        let mut chars = quoted.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => key.push(chars.next()?.1),
                '"' => return Some((Key::Str(key), quoted.get(at + 1..)?.strip_prefix(']')?)),
                c => key.push(c),
            }
        }
        return None;
    }
    let (number, after) = inner.split_once(']')?;
    Some((Key::Int(number.parse().ok()?), after))
}

/// The module steps of a module address: name and key of each call, outermost first.
pub(crate) fn modules(address: &str) -> Vec<(&str, Option<Key>)> {
    let mut modules = Vec::new();
    let mut steps = steps(address).into_iter().peekable();
    while steps.next_if(|s| *s == Step::Name("module")).is_some() {
        let Some(Step::Name(name)) = steps.next() else { break };
        let key = match steps.next_if(|s| matches!(s, Step::Index(_))) {
            Some(Step::Index(key)) => Some(key),
            _ => None,
        };
        modules.push((name, key));
    }
    modules
}

/// The module path without keys: `net.subnets` for `module.net[0].module.subnets`.
pub(crate) fn module_path(address: &str) -> String {
    modules(address).iter().map(|(name, _)| *name).collect::<Vec<_>>().join(".")
}

/// The address of the module that holds this one, with the name and key of the call; none for the root.
pub(crate) fn parent(address: &str) -> Option<(String, &str, Option<Key>)> {
    let mut all = modules(address);
    let (name, key) = all.pop()?;
    Some((all.iter().map(|(n, k)| call(n, k.as_ref())).collect::<Vec<_>>().join("."), name, key))
}

/// `module.name["key"]`
pub(crate) fn call(name: &str, key: Option<&Key>) -> String {
    match key {
        None => format!("module.{name}"),
        Some(Key::Int(n)) => format!("module.{name}[{n}]"),
        Some(Key::Str(s)) => format!("module.{name}[\"{}\"]", s.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// The address of something inside a module.
pub(crate) fn join(module: &str, inner: &str) -> String {
    if module.is_empty() { inner.to_owned() } else { format!("{module}.{inner}") }
}

/// The references of an expression, each once as written: Terraform lists every reference followed by its own prefixes, which
/// are left out.
pub(crate) fn heads<'a>(references: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut heads: Vec<&str> = Vec::new();
    for reference in references {
        let covered = heads.last().is_some_and(|head| {
            head.len() > reference.len()
                && head.starts_with(reference)
                && matches!(head.as_bytes().get(reference.len()), Some(b'.' | b'['))
        });
        if !covered {
            heads.push(reference);
        }
    }
    heads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_references() {
        let name = |n| Step::Name(n);
        let cases = [
            ("aws_subnet.s[0].id", vec![name("aws_subnet"), name("s"), Step::Index(Key::Int(0)), name("id")]),
            ("module.m.q[\"a.b\\\"]\"]", vec![name("module"), name("m"), name("q"), Step::Index(Key::Str("a.b\"]".into()))]),
            ("each.value", vec![name("each"), name("value")]),
            ("a[", vec![name("a")]),
            ("a..b", vec![name("a")]),
            ("", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(steps(text), expected, "{text}");
        }
        assert_eq!(steps(&"a.".repeat(1000)).len(), STEPS_MAX);
    }

    #[test]
    fn reads_module_addresses() {
        let address = "module.net[\"a\"].module.sub[1]";
        assert_eq!(module_path(address), "net.sub");
        assert_eq!(parent(address), Some(("module.net[\"a\"]".into(), "sub", Some(Key::Int(1)))));
        assert_eq!(parent(""), None);
    }

    #[test]
    fn prefixes_are_not_references_of_their_own() {
        let all = ["a.b.arn", "a.b", "a.c[0].id", "a.c[0]", "a.c", "a.b.arn", "a.b", "a.bc", "a.b"];
        assert_eq!(heads(all.into_iter()), ["a.b.arn", "a.c[0].id", "a.b.arn", "a.bc", "a.b"]);
    }
}
