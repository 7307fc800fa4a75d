//! Where a service answers in a Region: by botocore's own rules, or where the user says.

use model::{Partition, Region};

use crate::credentials::Profiles;
use crate::environment::Environment;
use crate::facts::{Facts, Service};

/// The variable that says where all services are.
const EVERYWHERE: &str = "AWS_ENDPOINT_URL";

/// The variable by which neither variables nor profiles say where anything is.
const IGNORE: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";

/// Where to send a call and how to sign it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// `https://ec2.eu-west-1.amazonaws.com`, without a slash at the end.
    pub(crate) base: String,
    pub(crate) signing_region: String,
    pub(crate) signing_name: String,
    /// True if the user said where; then nothing is put in front of the host.
    pub(crate) overridden: bool,
}

/// The endpoint of a service in a Region; `None` if the partition has none.
pub(crate) fn resolve(name: &str, service: &Service, region: &Region, account: &str, env: &Environment) -> Option<Endpoint> {
    let table = service.endpoints.get(region.partition().name()).or_else(|| service.endpoints.get(Partition::Aws.name()))?;
    let form = table.but.get(region.as_str()).unwrap_or(&table.usual);
    let host = form.host.replace("{region}", region.as_str()).replace("{account}", account);
    let mut endpoint = Endpoint {
        base: format!("https://{host}"),
        signing_region: form.signing_region.clone().unwrap_or_else(|| region.as_str().to_owned()),
        signing_name: form.signing_name.clone().unwrap_or_else(|| service.signing_name.clone()),
        overridden: false,
    };
    if let Some(url) = overridden(name, env) {
        url.trim_end_matches('/').clone_into(&mut endpoint.base);
        endpoint.overridden = true;
    }
    Some(endpoint)
}

/// What `AWS_ENDPOINT_URL_<SERVICE>` or `AWS_ENDPOINT_URL` say (AWS SDKs reference guide, "Service-specific endpoints"). The
/// service stands there by its service id, `ELASTIC_LOAD_BALANCING_V2`; botocore's folder name is also taken, `ELBV2`.
pub(crate) fn overridden<'a>(name: &str, env: &'a Environment) -> Option<&'a str> {
    if env.var(IGNORE).is_some_and(|v| v.eq_ignore_ascii_case("true")) {
        return None;
    }
    let own = |id: &str| env.var(&variable(id));
    own(service_id(name)).or_else(|| own(name)).or_else(|| env.var(EVERYWHERE))
}

/// The environment with what a profile says of endpoints, as far as no variable says otherwise: `endpoint_url`, a `services` section
/// and `ignore_configured_endpoint_urls`. A variable for all services goes before a profile's word on one.
pub(crate) fn with_profile(env: &Environment, profiles: &Profiles, profile: &str) -> Environment {
    let mut all = env.clone();
    if let (None, Some(ignore)) = (env.var(IGNORE), profiles.setting(profile, "ignore_configured_endpoint_urls")) {
        all = all.with_var(IGNORE, ignore);
    }
    for (service, url) in profiles.endpoints(profile).into_iter().filter(|_| env.var(EVERYWHERE).is_none()) {
        let variable = service.map_or_else(|| EVERYWHERE.to_owned(), variable);
        if env.var(&variable).is_none() {
            all = all.with_var(&variable, url);
        }
    }
    all
}

/// The variable that says where a service is.
fn variable(service: &str) -> String {
    format!("{EVERYWHERE}_{}", service.replace(['-', ' '], "_").to_uppercase())
}

/// The service id where it isn't botocore's folder name.
fn service_id(name: &str) -> &str {
    match name {
        "apigateway" => "api gateway",
        "autoscaling" => "auto scaling",
        "cloudwatch" => "cloudwatch",
        "cognito-idp" => "cognito identity provider",
        "config" => "config service",
        "dms" => "database migration service",
        "ds" => "directory service",
        "elasticbeanstalk" => "elastic beanstalk",
        "elb" => "elastic load balancing",
        "elbv2" => "elastic load balancing v2",
        "es" => "elasticsearch service",
        "events" => "eventbridge",
        "logs" => "cloudwatch logs",
        "route53" => "route 53",
        "route53domains" => "route 53 domains",
        "s3control" => "s3 control",
        "secretsmanager" => "secrets manager",
        "service-quotas" => "service quotas",
        "sso-admin" => "sso admin",
        "stepfunctions" => "sfn",
        "storagegateway" => "storage gateway",
        other => other,
    }
}

/// The Region of a partition's global services.
pub(crate) fn home(partition: Partition) -> Region {
    let named = Facts::get().partitions.get(partition.name()).map_or("us-east-1", |p| p.home.as_str());
    Region::new(named).unwrap_or_else(|_| unreachable_region())
}

#[expect(clippy::expect_used, reason = "the text is a Region's code")]
fn unreachable_region() -> Region {
    Region::new("us-east-1").expect("a Region's code")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// botocore's rules, evaluated by botocore for every service and Region when the facts were derived.
    #[test]
    fn the_table_says_what_botocore_says() {
        let text = zstd::decode_all(include_bytes!("../facts/endpoints.txt.zst").as_slice()).unwrap();
        let text = String::from_utf8(text).unwrap();
        let env = Environment::empty();
        let mut count = 0;
        for line in text.lines() {
            let [name, region, url, signing_region, signing_name] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let service = Facts::get().service(name).unwrap();
            let code = Region::new(region).unwrap();
            let found = resolve(name, service, &code, "000000000000", &env).unwrap();
            assert_eq!(found.base, url, "{line}");
            assert_eq!(found.signing_region, if signing_region == "-" { region } else { signing_region }, "{line}");
            assert_eq!(found.signing_name, if signing_name == "-" { &*service.signing_name } else { signing_name }, "{line}");
            count += 1;
        }
        assert!(count > 4_000, "{count}");
    }

    #[test]
    fn partitions_have_a_home() {
        assert_eq!(home(Partition::Aws).as_str(), "us-east-1");
        assert_eq!(home(Partition::China).as_str(), "cn-northwest-1");
        assert_eq!(home(Partition::GovCloud).as_str(), "us-gov-west-1");
    }

    #[test]
    fn the_user_may_say_where() {
        let service = Facts::get().service("elbv2").unwrap();
        let region = Region::new("eu-west-1").unwrap();
        let at = |vars: &[(&str, &str)]| resolve("elbv2", service, &region, "1", &Environment::of(vars)).unwrap();
        let all = ("AWS_ENDPOINT_URL", "http://127.0.0.1:5000/");
        assert_eq!(at(&[all]).base, "http://127.0.0.1:5000");
        assert_eq!(at(&[all, ("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "http://elb")]).base, "http://elb");
        assert_eq!(at(&[all, ("AWS_ENDPOINT_URL_S3", "http://s3")]).base, "http://127.0.0.1:5000");
        assert!(!at(&[all, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]).overridden);
    }

    #[test]
    fn a_profile_may_say_where() {
        let mut profiles = Profiles::default();
        let config = "[profile all]\nendpoint_url = http://all\nservices = own\n\
            [services own]\ns3 =\n  endpoint_url = http://s3 # mine\nelastic_load_balancing_v2 =\n  endpoint_url = http://elb\n\
            [profile none]\nendpoint_url = http://all\nignore_configured_endpoint_urls = true\n";
        profiles.add(config, true).unwrap();
        let at = |profile: &str, service: &str, vars: &[(&str, &str)]| {
            let env = with_profile(&Environment::of(vars), &profiles, profile);
            overridden(service, &env).map(str::to_owned)
        };
        let said = |url: &str| Some(url.to_owned());
        assert_eq!(at("all", "s3", &[]), said("http://s3"));
        assert_eq!(at("all", "elbv2", &[]), said("http://elb"));
        assert_eq!(at("all", "sts", &[]), said("http://all"));
        assert_eq!(at("all", "s3", &[("AWS_ENDPOINT_URL", "http://env")]), said("http://env"));
        assert_eq!(at("all", "s3", &[("AWS_ENDPOINT_URL_S3", "http://env")]), said("http://env"));
        assert_eq!(at("all", "sts", &[("AWS_ENDPOINT_URL_S3", "http://env")]), said("http://all"));
        assert_eq!(at("none", "s3", &[]), None);
        assert_eq!(at("other", "s3", &[]), None);
    }
}
