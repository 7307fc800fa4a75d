//! Nanoseconds for one evaluation of typical predicates on one resource, and for compiling them: `cargo bench -p palisade-expr`.

use std::hint::black_box;
use std::time::Instant;

use expr::{Env, Names, Related, Signature, Type, Vocabulary, compile};
use jiff::Timestamp;
use model::{Link, Reason, Resource, ScopeIndex, Text, TypeName, Value};

struct One {
    resource: Resource,
}

impl Env for One {
    fn this(&self) -> &Resource {
        &self.resource
    }

    fn related<'r>(&'r self, of: &'r Resource, _name: &str) -> Related<'r> {
        Related { items: vec![of], incomplete: None }
    }

    fn resolve<'r>(&'r self, _link: &Link) -> Option<&'r Resource> {
        None
    }

    fn fact(&self, _name: &str, _args: &[Value]) -> Value {
        Value::Bool(true)
    }

    fn param(&self, _name: &str) -> Value {
        Value::Int(90)
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

const PREDICATES: &[&str] = &[
    r#"VersioningConfiguration.Status != "Enabled""#,
    r#"PublicAccessBlockConfiguration.BlockPublicAcls != true || PublicAccessBlockConfiguration.IgnorePublicAcls != true"#,
    r#"Absent.Deeper == null && RetentionInDays < 365"#,
    r#"RetentionInDays < param.max_age_days"#,
    r#"Runtime in ["python2.7", "python3.6", "python3.7", "nodejs12.x", "nodejs14.x", "nodejs16.x"]"#,
    r#"Unread.Status != "Enabled""#,
    r#"Rules.exists(r, cidr_any(r.CidrIp) && port_in(r.FromPort, r.ToPort, 22))"#,
    r#"Name.matches("^prod-[a-z]+$")"#,
    r#"is_secret(Environment)"#,
    r#"self.tags["owner"] == null"#,
    r#"size(related("policy")) == 0"#,
    r#"net.exposed(22)"#,
];

fn resource() -> Resource {
    let json = serde_json::json!({
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]},
        "Environment": {"A": "some value", "B": "another value", "C": "https://example.com/path"},
        "Name": "prod-orders",
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": "true", "IgnorePublicAcls": true},
        "RetentionInDays": 30,
        "Rules": [
            {"CidrIp": "10.0.0.0/8", "FromPort": 22, "ToPort": 22},
            {"CidrIp": "192.168.0.0/16", "FromPort": 443, "ToPort": 443},
            {"CidrIp": "0.0.0.0/0", "FromPort": 80, "ToPort": 443}
        ],
        "Runtime": "python3.12",
        "Tags": [{"Key": "env", "Value": "prod"}, {"Key": "team", "Value": "shop"}],
        "VersioningConfiguration": {"Status": "Enabled"}
    });
    #[expect(clippy::expect_used, reason = "the name is fine")]
    let type_name = TypeName::new("AWS::Test::Thing").expect("a type name");
    let mut resource = Resource::new("Thing", type_name, ScopeIndex(0));
    if let Value::Map(map) = model::from_json(&json) {
        resource.props = map;
    }
    resource.props.insert("Unread", Value::unknown(Reason::AccessDenied, "s3:GetBucketVersioning"));
    resource
}

fn names() -> Vocabulary {
    let mut names = Vocabulary::default();
    let fields = std::sync::Arc::make_mut(&mut names.resource);
    fields.open = true;
    fields.members.insert(Text::from("RetentionInDays"), Type::Int);
    names.relations.insert(Text::from("policy"), Type::any_resource());
    names.params.insert(Text::from("max_age_days"), Type::Int);
    names.facts.insert(Text::from("net.exposed"), Signature::new(vec![Type::Int], Type::Bool));
    names
}

/// The best of many short batches: what is left when nobody else has the processor.
fn nanos(mut work: impl FnMut()) -> u128 {
    const ROUNDS: u32 = 200;
    let mut best = u128::MAX;
    for _ in 0..300 {
        let start = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        best = best.min(start.elapsed().as_nanos() / u128::from(ROUNDS));
    }
    best
}

#[expect(clippy::print_stdout, clippy::panic, reason = "a benchmark talks, and stops when its own input is wrong")]
fn main() {
    let names = names();
    let env = One { resource: resource() };
    println!("evaluate  compile  predicate");
    for source in PREDICATES {
        let compiled = |names: &dyn Names| compile(source, names).unwrap_or_else(|problems| panic!("{source}: {problems:?}"));
        let program = compiled(&names);
        let evaluate = nanos(|| {
            black_box(program.truth(black_box(&env)));
        });
        let compile = nanos(|| {
            black_box(compiled(black_box(&names)));
        });
        println!("{evaluate:5} ns  {compile:6} ns  {source}");
    }
}
