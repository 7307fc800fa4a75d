//! `palisade catalogue check` on a user's own folder, with the real binary: it leans on what is built in, and says what is
//! wrong where.

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

use std::fs;
use std::path::Path;
use std::process::Command;

const PLACE: &str = "aws/s3/bucket/checks";
const CHECK: &str = r#"title     = "S3 bucket has no owner tag"
severity  = "low"
pillar    = "operations"
layer     = "customer_data"
objective = ["inventory-known"]
fail_when = '!Tags.exists(t, t.Key == "Owner")'
evidence  = ["Tags.map(t, t.Key)"]
message   = "its tags are {Tags.map(t, t.Key) | none}"
why = "Nobody knows whom to ask before it is deleted."
fix.text = "Add an Owner tag."
refs = ["https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html"]
"#;
const CASES: &str = r#"[[case]]
name = "an owner"
verdict = "pass"
set = { "Tags" = [{ Key = "Owner", Value = "shop" }] }

[[case]]
name = "no tags"
verdict = "fail"
unset = ["Tags"]
message = "its tags are none"

[[case]]
name = "the tags could not be read"
verdict = "unknown"
unknown = ["Tags"]
"#;

/// What is said of a folder with this check and these cases, and the exit code.
fn checked(place: &str, check: &str, cases: &str) -> (i32, String) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(place);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("s3-bucket-untagged.toml"), check).unwrap();
    fs::write(folder.join("s3-bucket-untagged.cases.toml"), cases).unwrap();
    run(dir.path(), &["catalogue", "check", "."])
}

fn run(dir: &Path, args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_palisade")).args(args).current_dir(dir).env_clear().output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text)
}

#[test]
fn a_check_leans_on_built_in_types_samples_and_objectives() {
    assert_eq!(checked(PLACE, CHECK, CASES), (0, "1 checks, 3 cases: all fine\n".to_owned()));
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_was_meant() {
    let wrong: &[(&str, &str, &[&str])] = &[
        ("layer ", "layr ", &["s3-bucket-untagged.toml:4:1: unknown field `layr`", "did you mean `layer`?"]),
        ("\"low\"", "\"lo\"", &["s3-bucket-untagged.toml:2:13: unknown variant `lo`", "did you mean `low`?"]),
        ("inventory-known", "inventory-know", &["s3-bucket-untagged.toml:5:1:", "did you mean `inventory-known`?"]),
        ("'!Tags", "'!Tagz", &["s3-bucket-untagged.toml:6:15: fail_when: no property `Tagz`", "did you mean `Tags`?"]),
        (
            "'!Tags.exists(t, t.Key == \"Owner\")'",
            "\"!Tagz.exists(t, t.Key == \\\"Owner\\\")\"",
            &["s3-bucket-untagged.toml:6:1: fail_when: no property `Tagz`"],
        ),
    ];
    for (old, new, expected) in wrong {
        assert!(CHECK.contains(old));
        let (code, said) = checked(PLACE, &CHECK.replace(old, new), CASES);
        assert_eq!(code, 2, "{said}");
        assert!(expected.iter().all(|e| said.contains(e)), "{said}");
    }
}

#[test]
fn cases_and_folders_are_held_too() {
    let (code, said) = checked(PLACE, CHECK, &CASES.replace("\"fail\"", "\"fails\""));
    assert!(code == 2 && said.contains("s3-bucket-untagged.cases.toml:8:1: `fails` is not a verdict"), "{said}");
    let (code, said) = checked(PLACE, CHECK, &CASES.replace("verdict = \"fail\"", "verdict = \"pass\""));
    assert!(code == 2 && said.contains("expected pass, got fail"), "{said}");
    let (code, said) = checked("aws/s3/buket/checks", CHECK, CASES);
    assert!(code == 2 && said.contains("did you mean `aws/s3/bucket`?"), "{said}");
}
