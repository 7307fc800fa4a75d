use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Credentials, Means, Profiles, Provider, Role, Source, find};
use crate::canned::{Reply, Server, serve};
use crate::client::{Http, HttpLimits};
use crate::environment::Environment;
use crate::settings::{Limits, MfaPrompt};

const STS: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
    <SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";

fn profiles(config: &str) -> Profiles {
    let mut profiles = Profiles::default();
    profiles.add(config, true).unwrap();
    profiles
}

fn source(config: &str, profile: &str) -> Result<Source, String> {
    find(&Environment::empty(), &profiles(config), Some(profile)).map_err(|e| e.to_string())
}

fn means(env: &Environment, mfa: Option<MfaPrompt>) -> Means {
    let limits = HttpLimits { connect: Duration::from_secs(1), whole: Duration::from_secs(2), body_bytes_max: 1 << 20 };
    let http = Http::local(limits).unwrap();
    Means {
        http: http.clone(),
        local: http,
        env: env.clone(),
        mfa,
        region: "eu-west-1".into(),
        limits: Limits { wait_min: Duration::from_millis(1), ..Limits::default() },
    }
}

#[tokio::main(flavor = "current_thread")]
async fn get(source: Source, env: &Environment, mfa: Option<MfaPrompt>) -> Result<Credentials, String> {
    Provider::new(source, means(env, mfa)).get().await.map_err(|e| e.to_string())
}

fn at(server: &Server) -> Environment {
    Environment::of(&[("AWS_ENDPOINT_URL", &server.url)])
}

fn key_of(source: &Source) -> &str {
    match source {
        Source::Fixed(credentials) => &credentials.key_id,
        _ => "",
    }
}

#[test]
fn the_environment_comes_first_and_a_named_profile_before_it() {
    let env = Environment::of(&[("AWS_ACCESS_KEY_ID", "AKENV"), ("AWS_SECRET_ACCESS_KEY", "s")]);
    let files = profiles(
        "[default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key = s\n[profile dev]\naws_access_key_id=AKDEV\naws_secret_access_key=s\n",
    );
    assert_eq!(key_of(&find(&env, &files, None).unwrap()), "AKENV");
    assert_eq!(key_of(&find(&env, &files, Some("dev")).unwrap()), "AKDEV");
    assert_eq!(key_of(&find(&Environment::empty(), &files, None).unwrap()), "AKDEFAULT");
    let named = Environment::of(&[("AWS_PROFILE", "dev")]);
    assert_eq!(key_of(&find(&named, &files, None).unwrap()), "AKDEV");
    assert!(find(&env, &files, Some("prod")).unwrap_err().to_string().contains("`prod`"));
}

#[test]
fn half_a_pair_and_odd_keys_are_refused() {
    for vars in [
        vec![("AWS_ACCESS_KEY_ID", "AK")],
        vec![("AWS_SECRET_ACCESS_KEY", "s")],
        vec![("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "two words")],
        vec![("AWS_ACCESS_KEY_ID", "AK\n"), ("AWS_SECRET_ACCESS_KEY", "s")],
    ] {
        assert!(find(&Environment::of(&vars), &Profiles::default(), None).is_err(), "{vars:?}");
    }
    assert!(source("[profile a]\naws_access_key_id = AK\n", "a").is_err());
}

#[test]
fn files_as_people_write_them() {
    let text = "# mine\n[default]\nregion = eu-west-1 # near\ns3 =\n  max_concurrent_requests = 20\n\n[profile  dev ]\naws_access_key_id = A\n; x\naws_secret_access_key = B\n[services x]\nfoo = bar\n";
    let found = profiles(text);
    assert_eq!(found.setting("default", "region"), Some("eu-west-1"));
    assert!(found.has("dev") && !found.has("x"));
    let mut profiles = Profiles::default();
    assert!(profiles.add("[open\n", true).is_err());
    assert!(profiles.add("[a]\nwords\n", false).is_err());
    profiles.add("[dev]\naws_access_key_id = C\n", false).unwrap();
    assert_eq!(profiles.setting("dev", "aws_access_key_id"), Some("C"));
}

#[test]
fn roles_are_assumed_from_their_source_profile() {
    let server = serve(|_, _| Reply::ok(STS));
    let config = "[profile base]\naws_access_key_id = AKBASE\naws_secret_access_key = s\n\
        [profile mid]\nrole_arn = arn:aws:iam::1:role/mid\nsource_profile = base\n\
        [profile top]\nrole_arn = arn:aws:iam::2:role/top\nsource_profile = mid\nexternal_id = x y\nrole_session_name = me\nduration_seconds = 900\n";
    let got = get(source(config, "top").unwrap(), &at(&server), None).unwrap();
    assert_eq!((got.key_id.as_str(), got.token.as_deref()), ("ASIAROLE", Some("t")));
    let asked = server.asked();
    assert!(asked[0].body.contains("mid") && asked[0].header("authorization").contains("Credential=AKBASE/"));
    assert!(asked[1].body.contains("top") && asked[1].header("authorization").contains("Credential=ASIAROLE/"));
    assert!(
        asked[1].body.contains("ExternalId=x%20y")
            && asked[1].body.contains("RoleSessionName=me")
            && asked[1].body.contains("DurationSeconds=900")
    );
}

#[test]
fn loops_and_dead_ends_are_told() {
    let role = |name: &str, rest: &str| format!("[profile {name}]\nrole_arn = arn:aws:iam::1:role/{name}\n{rest}\n");
    let looped = role("a", "source_profile = b") + &role("b", "source_profile = a");
    assert!(source(&looped, "a").unwrap_err().contains("loops"));
    assert!(source(&role("a", "source_profile = a"), "a").unwrap_err().contains("loops"));
    let own = role("a", "source_profile = a\naws_access_key_id = AK\naws_secret_access_key = s");
    assert!(matches!(source(&own, "a"), Ok(Source::Role { .. })));
    assert!(source(&role("a", "source_profile = gone"), "a").unwrap_err().contains("`gone`"));
    assert!(source(&role("a", ""), "a").unwrap_err().contains("no source"));
    assert!(source(&role("a", "credential_source = Moon"), "a").unwrap_err().contains("`Moon`"));
    let empty = role("a", "source_profile = b") + "[profile b]\nregion = x\n";
    assert!(source(&empty, "a").unwrap_err().contains("no credentials"));
}

#[test]
fn mfa_is_asked_for_or_refused() {
    let server = serve(|_, _| Reply::ok(STS));
    let role = Role { arn: "arn:aws:iam::1:role/x".into(), mfa_serial: Some("arn:mfa".into()), ..Role::default() };
    let base = Box::new(Source::Fixed(Credentials::new("AK", "s", None)));
    let source = Source::Role { source: base, role };
    assert!(get(source.clone(), &at(&server), None).unwrap_err().contains("MFA"));
    let prompt: MfaPrompt = Arc::new(|serial| if serial == "arn:mfa" { Ok(" 123456\n".into()) } else { Err("?".into()) });
    get(source.clone(), &at(&server), Some(prompt)).unwrap();
    let body = server.asked()[0].body.clone();
    assert!(body.contains("SerialNumber=arn%3Amfa") && body.ends_with("TokenCode=123456"), "{body}");
    let closed: MfaPrompt = Arc::new(|_| Err("input is closed".into()));
    assert!(get(source, &at(&server), Some(closed)).unwrap_err().contains("input is closed"));
}

#[test]
fn a_refused_role_says_why() {
    let server = serve(|_, _| {
        Reply::of(403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>")
    });
    let source = Source::Role {
        source: Box::new(Source::Fixed(Credentials::new("AK", "s", None))),
        role: Role { arn: "arn:aws:iam::1:role/x".into(), ..Role::default() },
    };
    let message = get(source, &at(&server), None).unwrap_err();
    assert!(message.contains("arn:aws:iam::1:role/x") && message.contains("not you"), "{message}");
}

#[test]
fn web_identity_is_not_signed() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "jwt\n").unwrap();
    let server = serve(|_, _| Reply::ok(STS.replace("AssumeRole", "AssumeRoleWithWebIdentity")));
    let env = at(&server)
        .with_var("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap())
        .with_var("AWS_ROLE_ARN", "arn:aws:iam::1:role/w");
    let source = find(&env, &Profiles::default(), None).unwrap();
    assert_eq!(get(source, &env, None).unwrap().key_id, "ASIAROLE");
    let asked = &server.asked()[0];
    assert!(asked.body.contains("WebIdentityToken=jwt") && asked.header("authorization").is_empty());
}

#[test]
fn containers_and_instances() {
    let keys = "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIAHERE\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"2999-01-01T00:00:00Z\"}";
    let server = serve(move |asked, _| match (asked.method.as_str(), asked.path.as_str()) {
        ("PUT", "/latest/api/token") => Reply::ok("session"),
        ("GET", _) if asked.header("x-aws-ec2-metadata-token") != "session" && asked.path.starts_with("/latest") => {
            Reply::of(401, "")
        }
        ("GET", "/latest/meta-data/iam/security-credentials/") => Reply::ok("web"),
        ("GET", "/latest/meta-data/iam/security-credentials/web") | ("GET", "/creds") => Reply::ok(keys),
        _ => Reply::of(404, ""),
    });
    let env = Environment::of(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &server.url)]);
    let source = find(&env, &Profiles::default(), None).unwrap();
    assert_eq!(get(source, &env, None).unwrap().key_id, "ASIAHERE");

    let url = format!("{}/creds", server.url);
    let env = Environment::of(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer x")]);
    let source = find(&env, &Profiles::default(), None).unwrap();
    assert_eq!(get(source, &env, None).unwrap().key_id, "ASIAHERE");
    assert_eq!(server.asked().last().unwrap().header("authorization"), "Bearer x");

    for url in ["http://evil.example/creds", "ftp://127.0.0.1/", "http://127.0.0.1.evil.example/", "http://a@127.0.0.1/"] {
        let env = Environment::of(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)]);
        assert!(find(&env, &Profiles::default(), None).is_err(), "{url}");
    }
    let off = Environment::of(&[("AWS_EC2_METADATA_DISABLED", "true")]);
    assert!(find(&off, &Profiles::default(), None).unwrap_err().to_string().contains("no credentials"));
    let nobody = Environment::of(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9")]);
    let source = find(&nobody, &Profiles::default(), None).unwrap();
    assert!(get(source, &nobody, None).unwrap_err().contains("does not answer"));
}

#[cfg(unix)]
#[test]
fn a_process_prints_credentials() {
    let run = |command: &str| get(Source::Process(command.to_owned()), &Environment::empty(), None);
    let found = run("printf '{\"Version\":1,\"AccessKeyId\":\"AKP\",\"SecretAccessKey\":\"s\"}'").unwrap();
    assert_eq!(found.key_id, "AKP");
    for bad in
        ["exit 3", "echo hello", "printf '{\"Version\":2,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}'", "/no/such/program"]
    {
        assert!(run(bad).is_err(), "{bad}");
    }
}

fn sso_home(folder: &Path, name: &str, expires: &str) {
    let cache = folder.join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    let text = format!("{{\"accessToken\":\"tok\",\"expiresAt\":\"{expires}\"}}");
    std::fs::write(cache.join(name), text).unwrap();
}

#[test]
fn an_sso_sign_in_gives_a_roles_keys() {
    let folder = tempfile::tempdir().unwrap();
    // The SHA-1 of `corp`.
    let name = "ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    sso_home(folder.path(), name, "2999-01-01T00:00:00UTC");
    let server = serve(|_, _| {
        Reply::ok(
            "{\"roleCredentials\":{\"accessKeyId\":\"ASIASSO\",\"secretAccessKey\":\"s\",\"sessionToken\":\"t\",\"expiration\":32472144000000}}",
        )
    });
    let config = "[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Audit\n\
        [sso-session corp]\nsso_start_url = https://corp.example/start\nsso_region = eu-west-1\n";
    let env = at(&server).with_home(folder.path());
    let got = get(source(config, "sso").unwrap(), &env, None).unwrap();
    assert_eq!(got.key_id, "ASIASSO");
    let asked = &server.asked()[0];
    assert_eq!(asked.path, "/federation/credentials?role_name=Audit&account_id=123456789012");
    assert_eq!(asked.header("x-amz-sso_bearer_token"), "tok");

    sso_home(folder.path(), name, "2020-01-01T00:00:00Z");
    assert!(get(source(config, "sso").unwrap(), &env, None).unwrap_err().contains("expired"));
    let elsewhere = at(&server).with_home(folder.path().join("nowhere"));
    assert!(get(source(config, "sso").unwrap(), &elsewhere, None).unwrap_err().contains("cache"));
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", Credentials::new("AKID", "hunter2", Some("tok-en".into())));
    assert!(shown.contains("AKID") && !shown.contains("hunter2") && !shown.contains("tok-en"));
}
