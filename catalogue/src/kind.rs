//! A resource type, ready for use.

use std::collections::BTreeMap;
use std::sync::Arc;

use expr::{Fields, Type};
use model::{Map, Resource, Text, TypeName, Value, from_json};

use crate::format::{self, TypeFile};
use crate::schema;

/// A resource type, ready for use.
#[derive(Debug)]
pub struct Kind {
    /// `aws/s3/bucket`
    pub folder: String,
    /// `s3`
    pub service: String,
    /// Its name.
    pub type_name: TypeName,
    /// What its file says.
    pub file: Arc<TypeFile>,
    /// Its properties with their types.
    pub fields: Arc<Fields>,
    /// Its relations.
    pub relations: BTreeMap<String, Relation>,
    /// What AWS does when a property is not set, outer paths first.
    pub defaults: Vec<ServiceDefault>,
}

/// How to find the neighbours of a resource. `ours` or `theirs` is given, or both: neighbours are then those with an equal value there.
/// With neither, they are all of the type in the resource's account and Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The neighbours' type.
    pub other: TypeName,
    /// Our property path that refers to them.
    pub ours: Option<String>,
    /// Their property path that refers to us.
    pub theirs: Option<String>,
}

/// What AWS does when a property is not set.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceDefault {
    /// The keys that lead to the property.
    pub path: Vec<Text>,
    /// The value that then holds.
    pub value: Value,
    /// Since when AWS does so.
    pub since: String,
    /// False if leaving it out has always meant this.
    pub dated: bool,
}

impl Kind {
    /// Makes a type of its file. The error is what is wrong with which key of the file.
    pub(crate) fn new(folder: &str, file: &Arc<TypeFile>) -> Result<Kind, String> {
        let type_name = TypeName::new(&file.type_name).map_err(|e| e.to_string())?;
        let fields = schema::fields(&file.type_name, &file.properties)?;
        let mut relations = BTreeMap::new();
        for (name, relation) in &file.relations {
            relations.insert(name.clone(), Relation::new(name, relation)?);
        }
        let mut defaults: Vec<ServiceDefault> = Vec::new();
        for default in &file.defaults {
            let path: Vec<Text> = default.path.split('.').map(Text::from).collect();
            if !schema::knows(&file.properties, &default.path) {
                return Err(format!("the default for `{}` is for a property that `[properties]` lacks", default.path));
            }
            let value = from_json(&default.value);
            defaults.push(ServiceDefault { path, value, since: default.since.clone(), dated: default.dated });
        }
        defaults.sort_by_key(|d| d.path.len());
        let service = folder.split('/').nth(1).unwrap_or_default().to_owned();
        Ok(Kind { folder: folder.to_owned(), service, type_name, file: Arc::clone(file), fields, relations, defaults })
    }

    /// The type of a property.
    pub fn property(&self, name: &str) -> Option<Type> {
        self.fields.member(name)
    }

    /// The ARN of a resource of this type, if all that it is made of is known.
    pub fn arn_of(&self, resource: &Resource) -> Option<String> {
        if let Some(Value::Str(arn)) = resource.attrs.get("Arn") {
            return Some(arn.to_string());
        }
        let mut rest = self.file.arn.as_deref()?;
        let mut arn = String::new();
        while let Some((before, after)) = rest.split_once('{') {
            let (hole, after) = after.split_once('}')?;
            arn.push_str(before);
            match hole {
                "partition" => arn.push_str(resource.region.as_ref().map_or("aws", |r| r.partition().name())),
                "region" => arn.push_str(resource.region.as_ref()?.as_str()),
                "account" => arn.push_str(resource.account.as_ref()?.as_str()),
                path => arn.push_str(resource.prop(path).as_str()?),
            }
            rest = after;
        }
        arn.push_str(rest);
        Some(arn)
    }

    /// The properties with what AWS fills in where they are not set; `None` if nothing is filled in.
    pub fn with_defaults(&self, props: &Map) -> Option<Filled<'_>> {
        let mut filled: Option<Filled<'_>> = None;
        for default in &self.defaults {
            let current = filled.as_ref().map_or(props, |f| &f.props);
            if !is_open(current, &default.path) {
                continue;
            }
            let target = filled.get_or_insert_with(|| Filled { props: props.clone(), used: Vec::new() });
            put(&mut target.props, &default.path, &default.value);
            target.used.push(default);
        }
        filled
    }
}

/// Properties with what AWS fills in.
#[derive(Debug)]
pub struct Filled<'a> {
    /// All properties.
    pub props: Map,
    /// The defaults that were filled in.
    pub used: Vec<&'a ServiceDefault>,
}

/// True if everything above the last key is set and the last key is not.
fn is_open(props: &Map, path: &[Text]) -> bool {
    match path {
        [] => false,
        [last] => props.get(last).is_none_or(Value::is_null),
        [first, rest @ ..] => matches!(props.get(first), Some(Value::Map(inner)) if is_open(inner, rest)),
    }
}

fn put(props: &mut Map, path: &[Text], value: &Value) {
    match path {
        [] => {}
        [last] => {
            props.insert(Text::clone(last), value.clone());
        }
        [first, rest @ ..] => {
            if let Some(Value::Map(inner)) = props.get_mut(first) {
                put(inner, rest, value);
            }
        }
    }
}

impl Relation {
    fn new(name: &str, written: &format::Relation) -> Result<Relation, String> {
        if (written.ours.is_none() && written.theirs.is_none()) != written.same_place {
            return Err(format!("the relation `{name}` takes `ours`, `theirs` or both, or else `same_place`"));
        }
        let other = TypeName::new(&written.type_name).map_err(|e| e.to_string())?;
        Ok(Relation { other, ours: written.ours.clone(), theirs: written.theirs.clone() })
    }
}
