//! Custom domains of APIs: the domain, its mappings to the API, and its DNS records.

use model::{GapReason, Value};
use serde_json::{Value as Json, json};

use super::made::{Made, list, map, text};
use super::part::Part;
use super::{Expansion, Source, written};

/// What is written at a path of `Domain`, with references to parameters replaced.
fn written_at(cx: &Expansion<'_, '_, '_>, source: &Source, path: &[&str]) -> Json {
    let mut at = source.written.get("Domain");
    for key in path {
        at = at.and_then(|inner| inner.get(key));
    }
    cx.resolved(at.unwrap_or(&Json::Null))
}

fn domain_id(cx: &Expansion<'_, '_, '_>, source: &Source, prefix: &str) -> String {
    written::hashed(prefix, &written_at(cx, source, &["DomainName"]))
}

/// False, and a gap, if a domain lacks its name or certificate.
fn complete(cx: &Expansion<'_, '_, '_>, source: &Source, domain: Part<'_>) -> bool {
    let complete = domain.get("DomainName").is_set() && domain.get("CertificateArn").is_set();
    if !complete {
        cx.gap(source, Some(domain), GapReason::Malformed, "a domain needs `DomainName` and `CertificateArn`");
    }
    complete
}

/// The domain of a REST API.
pub(crate) fn of_rest(cx: &mut Expansion<'_, '_, '_>, source: &Source, domain: Part<'_>) {
    if !complete(cx, source, domain) {
        return;
    }
    let given = domain.get("EndpointConfiguration").text();
    let private = given == Some("PRIVATE");
    let prefix = if private { "ApiGatewayDomainNameV2" } else { "ApiGatewayDomainName" };
    let id = domain_id(cx, source, prefix);
    let kind = given.unwrap_or("REGIONAL");
    let type_name = if private { "AWS::ApiGateway::DomainNameV2" } else { "AWS::ApiGateway::DomainName" };
    let mut made = cx.make_at(source, &id, type_name, domain);
    made.copy("DomainName", domain.get("DomainName"));
    let certificate = if kind == "REGIONAL" { "RegionalCertificateArn" } else { "CertificateArn" };
    made.copy(certificate, domain.get("CertificateArn"));
    let endpoint = map([("Types", list([text(kind)])), ("IpAddressType", domain.get("IpAddressType").said())]);
    made.derive("EndpointConfiguration", endpoint, domain.get("EndpointConfiguration"));
    if !private {
        mutual_tls(&mut made, domain);
        made.copy_said("OwnershipVerificationCertificateArn", domain.get("OwnershipVerificationCertificateArn"));
    }
    for key in ["SecurityPolicy", "EndpointAccessMode"] {
        made.copy_said(key, domain.get(key));
    }
    if private {
        made.copy_said("Policy", domain.get("Policy"));
    }
    cx.add(made);
    mappings_of_rest(cx, source, domain, (&id, private));
    let access = domain.get("AccessAssociation");
    if private && access.is_set() {
        let endpoint = written_at(cx, source, &["AccessAssociation", "VpcEndpointId"]);
        let access_id = written::hashed("DomainNameAccessAssociation", &json!([endpoint, id]));
        let mut made = cx.make_at(source, &access_id, "AWS::ApiGateway::DomainNameAccessAssociation", access);
        made.set("DomainNameArn", cx.refer(&id));
        made.set("AccessAssociationSourceType", text("VPCE"));
        made.copy("AccessAssociationSource", access.get("VpcEndpointId"));
        cx.add(made);
    }
    let records = Records { id: &id, kind, domain };
    records_of(cx, source, &records);
}

fn mutual_tls(made: &mut Made, domain: Part<'_>) {
    let tls = domain.get("MutualTlsAuthentication");
    if tls.says() {
        let value =
            map([("TruststoreUri", tls.get("TruststoreUri").said()), ("TruststoreVersion", tls.get("TruststoreVersion").said())]);
        made.derive("MutualTlsAuthentication", value, tls);
    }
}

fn mappings_of_rest(cx: &mut Expansion<'_, '_, '_>, source: &Source, domain: Part<'_>, (id, private): (&str, bool)) {
    let normalised = domain.get("NormalizeBasePath").value.as_bool() != Some(false);
    let mut paths: Vec<(String, Option<String>)> = Vec::new();
    for part in domain.get("BasePath").one_or_more().into_iter().filter(|p| p.says()) {
        let Some(path) = part.text() else {
            cx.gap(source, Some(part), GapReason::Unsupported, "a base path is not known");
            continue;
        };
        let plain: String = path.chars().filter(|c| c.is_alphanumeric()).collect();
        paths.push((format!("{}{plain}BasePathMapping", source.id), Some(if normalised { plain } else { path.to_owned() })));
    }
    if !domain.get("BasePath").says() {
        paths.push((format!("{}BasePathMapping", source.id), None));
    }
    for (mapping_id, path) in paths {
        let type_name = if private { "AWS::ApiGateway::BasePathMappingV2" } else { "AWS::ApiGateway::BasePathMapping" };
        let mut made = cx.make_at(source, &mapping_id, type_name, domain);
        made.set(if private { "DomainNameArn" } else { "DomainName" }, cx.refer(id));
        made.set("RestApiId", cx.refer(&source.id));
        made.set("Stage", cx.refer(&format!("{}.Stage", source.id)));
        made.set("BasePath", path.map_or(Value::Null, text));
        cx.add(made);
    }
}

/// The domain of an HTTP API or a WebSocket API.
pub(crate) fn of_http(cx: &mut Expansion<'_, '_, '_>, source: &Source, domain: Part<'_>, tags: Value) {
    if !complete(cx, source, domain) {
        return;
    }
    let id = domain_id(cx, source, "ApiGatewayDomainNameV2");
    let kind = domain.get("EndpointConfiguration").text().unwrap_or("REGIONAL");
    let mut made = cx.make_at(source, &id, "AWS::ApiGatewayV2::DomainName", domain);
    made.copy("DomainName", domain.get("DomainName"));
    let configuration = map([
        ("CertificateArn", domain.get("CertificateArn").value.clone()),
        ("EndpointType", text(kind)),
        ("OwnershipVerificationCertificateArn", domain.get("OwnershipVerificationCertificateArn").said()),
        ("SecurityPolicy", domain.get("SecurityPolicy").said()),
    ]);
    made.derive("DomainNameConfigurations", list([configuration]), domain);
    mutual_tls(&mut made, domain);
    made.set("Tags", tags);
    cx.add(made);
    let mut paths: Vec<(String, Option<&str>)> = Vec::new();
    for part in domain.get("BasePath").one_or_more().into_iter().filter(|p| p.says()) {
        match part.text() {
            Some(path) => {
                let plain: String = path.chars().filter(|c| !matches!(c, '-' | '_' | '/')).collect();
                paths.push((format!("{}{plain}ApiMapping", source.id), Some(path.trim_matches('/'))));
            }
            None => cx.gap(source, Some(part), GapReason::Unsupported, "a base path is not known"),
        }
    }
    if !domain.get("BasePath").says() {
        paths.push((format!("{}ApiMapping", source.id), None));
    }
    for (mapping_id, path) in paths {
        let mut made = cx.make_at(source, &mapping_id, "AWS::ApiGatewayV2::ApiMapping", domain);
        made.set("DomainName", cx.refer(&id));
        made.set("ApiId", cx.refer(&source.id));
        made.set("Stage", cx.refer(&format!("{}.Stage", source.id)));
        made.set("ApiMappingKey", path.map_or(Value::Null, text));
        cx.add(made);
    }
    let records = Records { id: &id, kind, domain };
    records_of(cx, source, &records);
}

/// A domain that records lead to.
struct Records<'r> {
    id: &'r str,
    kind: &'r str,
    domain: Part<'r>,
}

/// Adds the records to the group of their hosted zone.
fn records_of(cx: &mut Expansion<'_, '_, '_>, source: &Source, to: &Records<'_>) {
    let route = to.domain.get("Route53");
    if !route.is_set() {
        return;
    }
    let (zone, name) = (route.get("HostedZoneId"), route.get("HostedZoneName"));
    if !zone.is_set() && !name.is_set() {
        return cx.gap(source, Some(route), GapReason::Malformed, "`Route53` needs `HostedZoneId` or `HostedZoneName`");
    }
    let written_zone = match written_at(cx, source, &["Route53", "HostedZoneId"]) {
        Json::Null => written_at(cx, source, &["Route53", "HostedZoneName"]),
        zone => zone,
    };
    let separate = route.get("SeparateRecordSetGroup").says() && source.kind == "Api";
    let id = match separate {
        true => written::hashed("RecordSetGroup", &json!([written_zone, written_at(cx, source, &["DomainName"])])),
        false => written::hashed("RecordSetGroup", &written_zone),
    };
    let records = records(cx, to, route);
    if let (false, Some(Value::List(all))) = (separate, cx.find_mut(&id).and_then(|group| group.props.get_mut("RecordSets"))) {
        return all.extend(records);
    }
    let mut group = cx.make_at(source, &id, "AWS::Route53::RecordSetGroup", route);
    group.copy("HostedZoneId", zone);
    if source.kind == "Api" || !zone.is_set() {
        group.copy("HostedZoneName", name);
    }
    group.derive("RecordSets", Value::List(records), route);
    cx.add(group);
}

fn records(cx: &Expansion<'_, '_, '_>, to: &Records<'_>, route: Part<'_>) -> Vec<Value> {
    // A private domain's records are made out to its name.
    let id = to.id;
    let (zone, name) = match to.kind {
        "REGIONAL" => (cx.attribute(id, "RegionalHostedZoneId"), cx.attribute(id, "RegionalDomainName")),
        "EDGE" => {
            let given = route.get("DistributionDomainName");
            let name = if given.is_set() { given.value.clone() } else { cx.attribute(id, "DistributionDomainName") };
            (text("Z2FDTNDATAQYW2"), name)
        }
        _ => (route.get("VpcEndpointHostedZoneId").value.clone(), route.get("VpcEndpointDomainName").value.clone()),
    };
    let alias = map([
        ("EvaluateTargetHealth", route.get("EvaluateTargetHealth").value.clone()),
        ("HostedZoneId", zone),
        ("DNSName", name),
    ]);
    let record = |kind: &str| {
        map([
            ("Name", to.domain.get("DomainName").value.clone()),
            ("Type", text(kind)),
            ("AliasTarget", alias.clone()),
            ("Region", route.get("Region").value.clone()),
            ("SetIdentifier", route.get("SetIdentifier").value.clone()),
        ])
    };
    let mut all = vec![record("A")];
    if route.get("IpV6").value.as_bool() == Some(true) {
        all.push(record("AAAA"));
    }
    all
}
