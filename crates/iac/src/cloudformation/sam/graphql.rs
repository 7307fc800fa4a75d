//! `AWS::Serverless::GraphQLApi`: the AppSync API with its schema, data sources, functions and resolvers.

use std::collections::BTreeMap;

use model::{GapReason, Value};

use super::made::{Made, list, map, tags, text};
use super::part::Part;
use super::{Expansion, Source, connector, role};

const KNOWN: &[&str] = &[
    "Name",
    "Tags",
    "XrayEnabled",
    "Auth",
    "SchemaInline",
    "SchemaUri",
    "Logging",
    "DataSources",
    "Functions",
    "Resolvers",
    "ApiKeys",
    "DomainName",
    "Cache",
    "Visibility",
    "OwnerContact",
    "IntrospectionConfig",
    "QueryDepthLimit",
    "ResolverCountLimit",
];

/// What a resolver without code of its own does: it hands on what the pipeline gave.
const PASS_ON: &str =
    "\nexport function request(ctx) {\n    return {};\n}\n\nexport function response(ctx) {\n    return ctx.prev.result;\n}\n";

/// Makes what a GraphQL API becomes.
pub(crate) fn expand(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    cx.unknown_properties(source, &[KNOWN]);
    api(cx, source);
    let mut schema = part(cx, source, "Schema", "AWS::AppSync::GraphQLSchema", source.props());
    schema.copy("Definition", source.get("SchemaInline"));
    schema.copy("DefinitionS3Location", source.get("SchemaUri"));
    cx.add(schema);
    for (id, key) in source.get("ApiKeys").entries() {
        let mut made = part(cx, source, id, "AWS::AppSync::ApiKey", key);
        made.copy_all(key, &["ApiKeyId", "Description"]);
        made.copy("Expires", key.get("ExpiresOn"));
        cx.add(made);
    }
    let cache = source.get("Cache");
    if cache.says() {
        let mut made = part(cx, source, "ApiCache", "AWS::AppSync::ApiCache", cache);
        made.copy_all(cache, &["ApiCachingBehavior", "Type", "Ttl", "AtRestEncryptionEnabled", "TransitEncryptionEnabled"]);
        cx.add(made);
    }
    let sources = data_sources(cx, source);
    domain(cx, source);
    let functions = functions(cx, source, &sources);
    resolvers(cx, source, &functions);
}

/// A resource of the API, with the API's id.
fn part(cx: &Expansion<'_, '_, '_>, source: &Source, suffix: &str, type_name: &str, at: Part<'_>) -> Made {
    let mut made = cx.make_at(source, &format!("{}{suffix}", source.id), type_name, at);
    made.set("ApiId", cx.attribute(&source.id, "ApiId"));
    made
}

fn api(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    let mut made = cx.make(source, &source.id, "AWS::AppSync::GraphQLApi");
    match source.get("Name") {
        name if name.says() => made.copy("Name", name),
        _ => made.set("Name", text(&source.id)),
    }
    for key in ["Visibility", "OwnerContact", "IntrospectionConfig", "QueryDepthLimit", "ResolverCountLimit"] {
        made.copy_said(key, source.get(key));
    }
    made.copy("XrayEnabled", source.get("XrayEnabled"));
    let auth = source.get("Auth");
    made.copy("AuthenticationType", auth.get("Type"));
    let mut functions = Vec::new();
    if let Some((key, value)) = authorizer(auth, &mut functions) {
        made.derive(key, value, auth);
    }
    let mut additional = Vec::new();
    for other in auth.get("Additional").items() {
        let mut members: model::Map = [("AuthenticationType".into(), other.get("Type").value.clone())].into_iter().collect();
        if let Some((key, mut value)) = authorizer(other, &mut functions) {
            if let Value::Map(value) = &mut value {
                value.remove("DefaultAction");
            }
            members.insert(key, value);
        }
        additional.push(Value::Map(members));
    }
    if !additional.is_empty() {
        made.derive("AdditionalAuthenticationProviders", Value::List(additional), auth.get("Additional"));
    }
    let mut all = tags(source.get("Tags"));
    all.push(super::made::tag_of("graphqlapi:createdBy", text("SAM")));
    made.set("Tags", Value::List(all));
    logging(cx, source, &mut made);
    cx.add(made);
    for (at, function) in functions.into_iter().enumerate() {
        let from = map([
            ("Type", text("AWS::AppSync::GraphQLApi")),
            ("Arn", cx.refer(&source.id)),
            ("ResourceId", cx.attribute(&source.id, "ApiId")),
        ]);
        let to = map([("Type", text("AWS::Lambda::Function")), ("Arn", function)]);
        connect(cx, source, &format!("{}ToLambdaAuthConnector{}", source.id, at + 1), (from, to, list([text("Write")])), auth);
    }
}

/// The configuration of one way to authorize; functions that authorize are noted.
fn authorizer(auth: Part<'_>, functions: &mut Vec<Value>) -> Option<(&'static str, Value)> {
    let (from, to) = match auth.get("Type").text()? {
        "AWS_LAMBDA" => ("LambdaAuthorizer", "LambdaAuthorizerConfig"),
        "OPENID_CONNECT" => ("OpenIDConnect", "OpenIDConnectConfig"),
        "AMAZON_COGNITO_USER_POOLS" => ("UserPool", "UserPoolConfig"),
        _ => return None,
    };
    let config = auth.get(from);
    if from == "LambdaAuthorizer" {
        functions.push(config.get("AuthorizerUri").value.clone());
    }
    config.is_set().then(|| (to, config.value.clone()))
}

fn connect(
    cx: &mut Expansion<'_, '_, '_>,
    source: &Source,
    id: &str,
    (from, to, permissions): (Value, Value, Value),
    at: Part<'_>,
) {
    let props = map([("Source", from), ("Destination", to), ("Permissions", permissions)]);
    let span = at.span().or(source.resource.origin.span).unwrap_or_default();
    let made = connector::source(cx, &source.resource, source.order, (id, props, span));
    connector::expand(cx, &made);
}

fn logging(cx: &mut Expansion<'_, '_, '_>, source: &Source, made: &mut Made) {
    let logging = source.get("Logging");
    if logging.value.as_bool() == Some(false) {
        return;
    }
    let config = |key: &str| if logging.value.as_map().is_some() { logging.get(key) } else { source.get("") };
    let level = config("FieldLogLevel").said();
    let given = config("CloudWatchLogsRoleArn");
    let role = if given.says() { given.value.clone() } else { logging_role(cx, source) };
    let value = map([
        ("ExcludeVerboseContent", config("ExcludeVerboseContent").said()),
        ("FieldLogLevel", if level.is_null() { text("ALL") } else { level }),
        ("CloudWatchLogsRoleArn", role),
    ]);
    made.derive("LogConfig", value, logging);
}

fn logging_role(cx: &mut Expansion<'_, '_, '_>, source: &Source) -> Value {
    let id = format!("{}CloudWatchRole", source.id);
    let mut made = cx.make(source, &id, "AWS::IAM::Role");
    made.set("AssumeRolePolicyDocument", role::trust("appsync.amazonaws.com"));
    made.set("ManagedPolicyArns", list([cx.managed_policy("service-role/AWSAppSyncPushToCloudWatchLogs")]));
    cx.add(made);
    cx.attribute(&id, "Arn")
}

/// The data sources: what `DataSourceName` is for each name.
fn data_sources(cx: &mut Expansion<'_, '_, '_>, source: &Source) -> BTreeMap<String, Value> {
    let mut names = BTreeMap::new();
    let all = source.get("DataSources");
    for (id, table) in all.get("DynamoDb").entries() {
        names.insert(id.to_owned(), table_source(cx, source, id, table));
    }
    for (id, function) in all.get("Lambda").entries() {
        let full = format!("{}{id}LambdaDataSource", source.id);
        let mut made = data_source(cx, source, (&full, id, "AWS_LAMBDA"), function);
        let arn = function.get("FunctionArn").value.clone();
        made.derive("LambdaConfig", map([("LambdaFunctionArn", arn.clone())]), function);
        let to = map([("Type", text("AWS::Lambda::Function")), ("Arn", arn)]);
        let role = service_role(cx, source, function, (&full, "ToLambdaConnector", to, list([text("Write")])));
        made.set("ServiceRoleArn", role);
        cx.add(made);
        names.insert(id.to_owned(), cx.attribute(&full, "Name"));
    }
    names
}

fn data_source(cx: &Expansion<'_, '_, '_>, source: &Source, (full, id, kind): (&str, &str, &str), at: Part<'_>) -> Made {
    let mut made = cx.make_at(source, full, "AWS::AppSync::DataSource", at);
    match at.get("Name") {
        name if name.says() => made.copy("Name", name),
        _ => made.set("Name", text(id)),
    }
    made.set("Type", text(kind));
    made.set("ApiId", cx.attribute(&source.id, "ApiId"));
    made.copy("Description", at.get("Description"));
    made
}

fn table_source(cx: &mut Expansion<'_, '_, '_>, source: &Source, id: &str, table: Part<'_>) -> Value {
    let full = format!("{}{id}DynamoDBDataSource", source.id);
    let mut made = data_source(cx, source, (&full, id, "AMAZON_DYNAMODB"), table);
    let region = if table.get("Region").says() { table.get("Region").value.clone() } else { cx.pseudo("AWS::Region") };
    let config = map([
        ("AwsRegion", region.clone()),
        ("TableName", table.get("TableName").value.clone()),
        ("UseCallerCredentials", table.get("UseCallerCredentials").said()),
        ("Versioned", table.get("Versioned").said()),
        ("DeltaSyncConfig", table.get("DeltaSync").said()),
    ]);
    made.derive("DynamoDBConfig", config, table);
    let arn = match table.get("TableArn") {
        arn if arn.says() => arn.value.clone(),
        _ => {
            let pattern = "arn:${AWS::Partition}:dynamodb:${Region}:${AWS::AccountId}:table/${Table}";
            cx.compose(pattern, &[("Region", &region), ("Table", table.get("TableName").value)])
        }
    };
    let permissions = table.get("Permissions");
    let permissions = if permissions.says() { permissions.value.clone() } else { list([text("Read"), text("Write")]) };
    let to = map([("Type", text("AWS::DynamoDB::Table")), ("Arn", arn)]);
    let role = service_role(cx, source, table, (&full, "ToTableConnector", to, permissions));
    made.set("ServiceRoleArn", role);
    cx.add(made);
    cx.attribute(&full, "Name")
}

/// The role that a data source is read with, made with its permissions unless one is given.
fn service_role(
    cx: &mut Expansion<'_, '_, '_>,
    source: &Source,
    at: Part<'_>,
    (full, suffix, to, permissions): (&str, &str, Value, Value),
) -> Value {
    let given = at.get("ServiceRoleArn");
    if given.says() {
        return given.value.clone();
    }
    let id = format!("{full}Role");
    let mut made = cx.make_at(source, &id, "AWS::IAM::Role", at);
    made.set("AssumeRolePolicyDocument", role::trust("appsync.amazonaws.com"));
    cx.add(made);
    let from = map([
        ("Type", text("AWS::AppSync::DataSource")),
        ("Arn", cx.attribute(full, "DataSourceArn")),
        ("RoleName", cx.refer(&id)),
    ]);
    connect(cx, source, &format!("{full}{suffix}"), (from, to, permissions), at);
    cx.attribute(&id, "Arn")
}

fn domain(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    let domain = source.get("DomainName");
    if !domain.says() {
        return;
    }
    let id = format!("{}DomainName", source.id);
    let mut made = cx.make_at(source, &id, "AWS::AppSync::DomainName", domain);
    made.copy_all(domain, &["CertificateArn", "DomainName", "Description"]);
    cx.add(made);
    let mut made = part(cx, source, "DomainNameApiAssociation", "AWS::AppSync::DomainNameApiAssociation", domain);
    made.set("DomainName", cx.refer(&id));
    cx.add(made);
}

/// The functions: their ids by name.
fn functions(cx: &mut Expansion<'_, '_, '_>, source: &Source, sources: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let mut ids = BTreeMap::new();
    for (id, function) in source.get("Functions").entries() {
        if function.get("Id").says() {
            ids.insert(id.to_owned(), function.get("Id").value.clone());
            continue;
        }
        let mut made = part(cx, source, id, "AWS::AppSync::FunctionConfiguration", function);
        match function.get("Name") {
            name if name.says() => made.copy("Name", name),
            _ => made.set("Name", text(id)),
        }
        code(&mut made, function);
        let from = function.get("DataSource");
        let name = match from.text() {
            Some(name) if name.eq_ignore_ascii_case("none") => without_source(cx, source),
            Some(name) => sources.get(name).cloned().unwrap_or_else(|| {
                cx.gap(source, Some(from), GapReason::Malformed, &format!("there is no data source `{name}`"));
                Value::unknown_present(model::Reason::Malformed, name)
            }),
            None => from.value.clone(),
        };
        made.derive("DataSourceName", name, from);
        made.copy_all(function, &["MaxBatchSize", "Description"]);
        made.copy_said("SyncConfig", function.get("Sync"));
        cx.add(made);
        ids.insert(id.to_owned(), cx.attribute(&format!("{}{id}", source.id), "FunctionId"));
    }
    ids
}

/// The data source for functions that read nothing: its name.
fn without_source(cx: &mut Expansion<'_, '_, '_>, source: &Source) -> Value {
    let id = format!("{}NoneDataSource", source.id);
    let mut made = cx.make(source, &id, "AWS::AppSync::DataSource");
    made.set("ApiId", cx.attribute(&source.id, "ApiId"));
    made.set("Name", text(&id));
    made.set("Type", text("NONE"));
    cx.add(made);
    cx.attribute(&id, "Name")
}

fn code(made: &mut Made, at: Part<'_>) {
    made.copy_said("Code", at.get("InlineCode"));
    made.copy_said("CodeS3Location", at.get("CodeUri"));
    let runtime = at.get("Runtime");
    if runtime.says() {
        let value = map([("Name", runtime.get("Name").value.clone()), ("RuntimeVersion", runtime.get("Version").value.clone())]);
        made.derive("Runtime", value, runtime);
    }
}

fn resolvers(cx: &mut Expansion<'_, '_, '_>, source: &Source, functions: &BTreeMap<String, Value>) {
    for (type_name, all) in source.get("Resolvers").entries() {
        for (id, resolver) in all.entries() {
            let mut made = part(cx, source, &format!("{type_name}{id}"), "AWS::AppSync::Resolver", resolver);
            if resolver.get("InlineCode").says() || resolver.get("CodeUri").says() {
                code(&mut made, resolver);
            } else {
                made.set("Code", text(PASS_ON));
                made.set("Runtime", map([("Name", text("APPSYNC_JS")), ("RuntimeVersion", text("1.0.0"))]));
            }
            match resolver.get("FieldName") {
                name if name.says() => made.copy("FieldName", name),
                _ => made.set("FieldName", text(id)),
            }
            made.set("TypeName", text(type_name));
            made.set("Kind", text("PIPELINE"));
            let mut ids = Vec::new();
            for name in resolver.get("Pipeline").items() {
                match name.text().and_then(|name| functions.get(name)) {
                    Some(id) => ids.push(id.clone()),
                    None => cx.gap(source, Some(name), GapReason::Malformed, "the pipeline names a function that is not there"),
                }
            }
            made.derive("PipelineConfig", map([("Functions", Value::List(ids))]), resolver.get("Pipeline"));
            made.copy_said("CachingConfig", resolver.get("Caching"));
            made.copy_said("MaxBatchSize", resolver.get("MaxBatchSize"));
            cx.add(made);
        }
    }
}
