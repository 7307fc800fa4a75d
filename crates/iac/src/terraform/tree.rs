//! The properties of a type as a tree, found by their letters.

use std::collections::BTreeMap;

use super::path::name_and_index;

/// What stands at a property.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// A plain value, or not said.
    #[default]
    Plain,
    /// Text.
    Text,
    /// A number.
    Number,
    /// A truth value.
    Bool,
    /// A JSON document, such as a policy.
    Json,
    /// Free keys.
    Map,
    /// A list of `{Key, Value}`.
    Tags,
}

/// A property and what is below it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tree {
    /// True if it is a list (of what the rest says).
    pub(crate) list: bool,
    pub(crate) form: Form,
    /// By letters in lower case: the name and what is below.
    children: BTreeMap<String, (String, Tree)>,
}

/// Deeper paths are not properties of any real type.
const DEPTH_MAX: usize = 24;

impl Tree {
    /// Adds a path such as `A.B[].C` or `A{}`; `kind` is a type as `type.toml` writes it, or empty.
    /// Of two types for a path the first counts, unless the second says that it is tags or JSON.
    pub(crate) fn add(&mut self, path: &str, kind: &str) {
        let mut at = self;
        for part in path.split('.').take(DEPTH_MAX) {
            let name = part.trim_end_matches(['[', ']', '{', '}', '?', '#', '*']);
            let (_, child) = at.children.entry(letters(name)).or_insert_with(|| (name.to_owned(), Tree::default()));
            child.list |= part.contains("[]");
            if part.ends_with("{}") {
                child.form = Form::Map;
            }
            at = child;
        }
        let mut kind = kind;
        while let Some(inner) = kind.strip_prefix("list<").and_then(|k| k.strip_suffix('>')) {
            at.list = true;
            kind = inner;
        }
        let form = match kind {
            "string" | "timestamp" => Form::Text,
            "int" | "number" => Form::Number,
            "bool" => Form::Bool,
            "json" | "policy" => Form::Json,
            "tags" => Form::Tags,
            k if k.starts_with("map<") => Form::Map,
            _ => at.form,
        };
        if at.form == Form::Plain || form == Form::Tags || form == Form::Json {
            at.form = form;
        }
    }

    /// Adds a member as the list of published names writes it: `Port#`, `Encrypted?`, `Tags[]`, `Anything*`.
    pub(crate) fn add_published(&mut self, path: &str) {
        let kind = match path.as_bytes().last() {
            Some(b'?') => "bool",
            Some(b'#') => "number",
            Some(b'*' | b'}') => "",
            _ => "string",
        };
        self.add(path, kind);
    }

    /// True if nothing is known below.
    pub(crate) fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }

    /// The child with exactly this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Tree> {
        self.children.get(&letters(name)).map(|(_, tree)| tree)
    }

    /// What is at a property path; `[]` and `[1]` in it are passed over.
    pub(crate) fn at(&self, path: &str) -> Option<&Tree> {
        if path == "." {
            return Some(self);
        }
        path.split('.').try_fold(self, |tree, part| tree.child(name_and_index(part).0))
    }

    /// The property that an attribute's letters give: the same, its plural, its singular.
    pub(crate) fn find(&self, attribute: &str) -> Option<(&str, &Tree)> {
        let key = letters(attribute);
        let found = self
            .children
            .get(&key)
            .or_else(|| self.children.get(&format!("{key}s")))
            .or_else(|| self.children.get(&format!("{key}es")))
            .or_else(|| self.children.get(&format!("{}ies", key.strip_suffix('y')?)))
            .or_else(|| self.children.get(key.strip_suffix("ies").map(|k| format!("{k}y"))?.as_str()))
            .or_else(|| self.children.get(key.strip_suffix('s')?));
        found.map(|(name, tree)| (name.as_str(), tree))
    }

    /// The property that the letters give with a word of the type's name before or after them: `name` of a role is
    /// `RoleName`, `description` of a security group `GroupDescription`.
    pub(crate) fn find_affixed(&self, attribute: &str, type_word: &str) -> Option<(&str, &Tree)> {
        let key = letters(attribute);
        let whole = letters(type_word);
        let found = words(type_word)
            .into_iter()
            .find_map(|at| whole.get(at..).and_then(|word| self.children.get(&format!("{word}{key}"))))
            .or_else(|| if key == whole { self.children.get(&format!("{key}name")) } else { None });
        found.map(|(name, tree)| (name.as_str(), tree))
    }
}

/// Lower case, without underscores and whatever is not a letter or digit.
pub(crate) fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Where the words of `SecurityGroup` start: 0, 8.
fn words(name: &str) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut lower = true;
    for (at, c) in name.char_indices() {
        if c.is_ascii_uppercase() && lower {
            starts.push(at);
        }
        lower = !c.is_ascii_uppercase();
    }
    starts
}

/// `kms_key_id` as `KmsKeyId`: the guess where nothing is known of a type.
pub(crate) fn pascal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in name.split(['_', '-']) {
        let mut chars = word.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        out.extend(chars);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let mut tree = Tree::default();
        for path in ["KMSKeyId", "Origins[].Id", "Policies[]", "Alias", "Variables{}", "GroupDescription", "RoleName", "Key.Sub"]
        {
            tree.add(path, "");
        }
        tree.add("Tags", "tags");
        tree.add("Subnets", "list<string>");
        tree
    }

    #[test]
    fn found_by_letters() {
        let cases = [
            ("kms_key_id", Some("KMSKeyId")),
            ("origin", Some("Origins")),
            ("policy", Some("Policies")),
            ("aliases", None),
            ("keys", Some("Key")),
            ("subnet", Some("Subnets")),
            ("name", None),
        ];
        let tree = tree();
        for (attribute, property) in cases {
            assert_eq!(tree.find(attribute).map(|(name, _)| name), property, "{attribute}");
        }
        assert_eq!(tree.find_affixed("description", "SecurityGroup").unwrap().0, "GroupDescription");
        assert_eq!(tree.find_affixed("name", "Role").unwrap().0, "RoleName");
        assert_eq!(tree.find_affixed("role", "Role").unwrap().0, "RoleName");
        assert!(tree.find_affixed("name", "Bucket").is_none());
    }

    #[test]
    fn forms() {
        let tree = tree();
        assert_eq!(tree.at("Tags").unwrap().form, Form::Tags);
        assert_eq!(tree.at("Variables").unwrap().form, Form::Map);
        assert!(tree.at("Subnets").unwrap().list && tree.at("Origins[].Id").is_some() && tree.at("Origins").unwrap().list);
        assert_eq!(pascal("kms_key_id"), "KmsKeyId");
    }
}
