use std::fs;

use super::*;

struct Folder {
    temp: tempfile::TempDir,
}

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        let folder = Folder { temp: tempfile::tempdir().unwrap() };
        for (name, text) in files {
            folder.write(name, text.as_bytes());
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn read(&self, names: &[&str]) -> Snapshot {
        let paths: Vec<PathBuf> = names.iter().map(|n| self.path(n)).collect();
        read_paths(&paths, &Options::default())
    }

    /// `file: what: detail` of every gap; notes in brackets.
    fn gaps(&self, snapshot: &Snapshot) -> Vec<String> {
        let root = format!("{}/", self.temp.path().display());
        let line = |g: &Gap| {
            let file = g.file.as_deref().unwrap_or_default().replace(&root, "");
            let text = format!("{file}: {}: {}", g.what, g.detail);
            if g.matters { text } else { format!("[{text}]") }
        };
        snapshot.gaps.iter().map(line).collect()
    }
}

fn ids(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.resources.iter().map(|r| &*r.id).collect()
}

const A: &str = "Resources: {A: {Type: AWS::S3::Bucket}}\n";
const B: &str = "Resources: {B: {Type: AWS::S3::Bucket}}\n";

#[test]
fn a_folder_is_read_in_the_order_of_names() {
    let folder = Folder::new(&[
        ("b.yml", B),
        ("a/x.yaml", A),
        ("a/.hidden/x.yaml", A),
        ("node_modules/x.yaml", A),
        ("z.json", "{\"Resources\": {\"Z\": {\"Type\": \"AWS::S3::Bucket\"}}}"),
        ("other.yaml", "kind: Deployment\n"),
        ("notes.txt", A),
        ("picture.json", "\0\0"),
        ("empty.yaml", ""),
    ]);
    let snapshot = folder.read(&["."]);
    assert_eq!(ids(&snapshot), ["A", "B", "Z"]);
    assert_eq!(folder.gaps(&snapshot), [""; 0]);
    let again = folder.read(&["b.yml", ".", "b.yml"]);
    assert_eq!(ids(&again), ["B", "A", "Z"]);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let files: Vec<(String, String)> = (0..60).map(|n| (format!("{n}.yaml"), A.replace("A:", &format!("A{n}:")))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let folder = Folder::new(&files);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| folder.read(&["."]));
    let many = rayon::ThreadPoolBuilder::new().num_threads(7).build().unwrap().install(|| folder.read(&["."]));
    assert_eq!(one, many);
    assert_eq!(one.resources.len(), 60);
}

#[test]
fn what_is_named_must_be_of_a_known_kind() {
    let folder = Folder::new(&[("a.yaml", A), ("x.yaml", "a: 1\n"), ("e.json", " "), ("b.json", "\0"), ("main.tf", "")]);
    let snapshot = folder.read(&["x.yaml", "e.json", "b.json", "main.tf", "missing.yaml", "a.yaml"]);
    assert_eq!(ids(&snapshot), ["A"]);
    assert_eq!(
        folder.gaps(&snapshot),
        [
            "missing.yaml: file: no such file or directory (os error 2)",
            "main.tf: Terraform configuration: a file of Terraform configuration has no plan beside it",
            "x.yaml: file: it is neither a template nor a Terraform plan or state",
            "e.json: file: the file is empty",
            "b.json: file: the file is not text",
        ]
    );
}

#[test]
fn one_bad_template_does_not_end_the_run() {
    let folder = Folder::new(&[
        ("a.yaml", A),
        ("bad.yaml", "Resources:\n  A: [\n"),
        ("deep.yaml", &format!("Resources: {}\n", "[".repeat(10_000))),
        ("json.json", "{\"Resources\": {,}}"),
        ("latin.yaml", ""),
        ("main.tf", "resource {}"),
    ]);
    folder.write("latin.yaml", b"Resources:\n  A: \xe9\n");
    folder.write("wide.yaml", &[b"\xff\xfe".to_vec(), B.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat());
    let snapshot = folder.read(&["."]);
    assert_eq!(ids(&snapshot), ["A", "B"]);
    assert_eq!(
        folder.gaps(&snapshot),
        [
            ".: Terraform configuration: a file of Terraform configuration has no plan beside it",
            "./bad.yaml: template: did not find expected node content while parsing a flow node that starts on line 3",
            "./deep.yaml: template: nested deeper than 128 levels",
            "./json.json: template: expected a member name in double quotes, found `,`",
            "./latin.yaml: template: it is not UTF-8 text",
        ]
    );
    assert_eq!(snapshot.gaps[3].span.map(|s| (s.line, s.column)), Some((1, 16)));
}

#[test]
fn a_file_that_is_too_large_is_a_gap() {
    let folder = Folder::new(&[("a.yaml", A)]);
    let mut options = Options::default();
    options.limits.text.bytes_max = A.len();
    assert!(read_paths(&[folder.path("a.yaml")], &options).gaps.is_empty());
    options.limits.text.bytes_max = A.len() - 1;
    let gaps = read_paths(&[folder.path("a.yaml")], &options).gaps;
    assert_eq!(gaps[0].help.as_deref(), Some("the limit is `bytes_max`"));
    options = Options::default();
    options.limits.files_max = 0;
    assert_eq!(read_paths(&[folder.path(".")], &options).gaps[0].detail, "more than 0 files");
}

#[cfg(unix)]
#[test]
fn links_that_loop_or_lead_nowhere() {
    let folder = Folder::new(&[("a/x.yaml", A)]);
    std::os::unix::fs::symlink(folder.path("a"), folder.path("a/again")).unwrap();
    std::os::unix::fs::symlink(folder.path("nowhere"), folder.path("a/lost.yaml")).unwrap();
    std::os::unix::fs::symlink(folder.path("nowhere"), folder.path("a/lost")).unwrap();
    let snapshot = folder.read(&["a"]);
    assert_eq!(ids(&snapshot), ["A"]);
    assert_eq!(
        folder.gaps(&snapshot),
        [
            "[a/lost: broken link: no such file or directory (os error 2)]",
            "a/lost.yaml: broken link: no such file or directory (os error 2)",
        ]
    );
}

#[test]
fn a_nested_template_is_read_with_the_one_that_nests_it() {
    let parent =
        |child: &str| format!("Resources:\n  N: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: {child}}}}}\n");
    let folder = Folder::new(&[
        ("z.yaml", &parent("./sub/child.yaml")),
        ("sub/child.yaml", A),
        ("p.yaml", &parent("q.yaml")),
        ("q.yaml", &parent("p.yaml")),
        ("out.yaml", &parent("/etc/hosts")),
    ]);
    let snapshot = folder.read(&["z.yaml", "sub"]);
    assert_eq!(ids(&snapshot), ["N", "N/A"]);
    assert_eq!(snapshot.resources[1].origin.file.as_deref(), folder.path("sub/child.yaml").to_str());
    let loops = folder.read(&["q.yaml", "p.yaml"]);
    assert_eq!((loops.scopes.len(), loops.gaps.len()), (1, 1));
    assert!(loops.scopes[0].name.ends_with("q.yaml"));
    assert_eq!(ids(&folder.read(&["out.yaml"])), ["N"]);
}

#[test]
fn a_cdk_folder_is_read_by_its_manifest() {
    let folder = Folder::new(&[
        (
            "cdk.out/manifest.json",
            r#"{"version": "38.0.1", "artifacts": {
                "App": {"type": "aws:cloudformation:stack", "environment": "aws://123456789012/eu-west-1",
                        "properties": {"templateFile": "App.template.json"}},
                "Stage": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Stage"}},
                "Gone": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Gone.template.json"}},
                "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}}}}"#,
        ),
        (
            "cdk.out/App.template.json",
            r#"{"Resources": {
                "B1": {"Type": "AWS::S3::Bucket", "Metadata": {"aws:cdk:path": "App/B/Resource"},
                       "Properties": {"R": {"Ref": "AWS::Region"}}},
                "N": {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "N.nested.template.json"},
                      "Properties": {"TemplateURL": {"Fn::Sub": "https://s3.${AWS::URLSuffix}/x"}}}}}"#,
        ),
        ("cdk.out/N.nested.template.json", A),
        (
            "cdk.out/assembly-Stage/manifest.json",
            r#"{"version": "1", "artifacts": {
            "S": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "S.template.json"}}}}"#,
        ),
        ("cdk.out/assembly-Stage/S.template.json", B),
        ("cdk.out/asset.123/other.yaml", A),
    ]);
    for named in [".", "cdk.out", "cdk.out/manifest.json"] {
        let snapshot = folder.read(&[named]);
        assert_eq!(ids(&snapshot), ["B1", "N", "N/A", "B"], "{named}");
        let bucket = &snapshot.resources[0];
        assert_eq!(bucket.name.as_deref(), Some("App/B/Resource"));
        assert_eq!(bucket.prop("R").as_str(), Some("eu-west-1"));
        assert_eq!(bucket.account.as_ref().map(|a| a.as_str()), Some("123456789012"));
        assert_eq!(snapshot.gaps.len(), 1, "{:?}", snapshot.gaps);
    }
}

const PLAN: &str = r#"{"format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": [
    {"address": "aws_x.a[0]", "mode": "managed", "type": "aws_x", "name": "a", "index": 0, "provider_name": "aws",
     "change": {"actions": ["create"], "after": {"size": 1}}},
    {"address": "module.m.aws_x.b", "module_address": "module.m", "mode": "managed", "type": "aws_x", "name": "b",
     "provider_name": "aws", "change": {"actions": ["create"], "after": {"size": 1}}}]}"#;

#[test]
fn plans_are_placed_in_the_configuration_beside_them() {
    let folder = Folder::new(&[
        ("infra/main.tf", "# palisade:accept some-check it is a test\nresource \"aws_x\" \"a\" {\n  count = 1\n}\n"),
        ("infra/modules.tf", "module \"m\" {\n  source = \"../modules/m\"\n}\n"),
        ("modules/m/b.tf", "\n\nresource \"aws_x\" \"b\" {}\n"),
        ("out/plan.json", PLAN),
        ("alone/main.tf", "resource \"aws_x\" \"c\" {}\n"),
    ]);
    let places = |snapshot: &Snapshot| -> Vec<String> {
        let root = format!("{}/", folder.temp.path().display());
        let one = |r: &model::Resource| {
            let file = r.origin.file.as_deref().unwrap_or_default().replace(&root, "").replace("./", "");
            format!("{} {file}:{}", r.id, r.origin.span.map_or(0, |s| s.line))
        };
        snapshot.resources.iter().map(one).collect()
    };
    let placed = ["aws_x.a[0] infra/main.tf:2", "module.m.aws_x.b modules/m/b.tf:3"];
    let snapshot = folder.read(&["."]);
    assert_eq!(places(&snapshot), placed);
    let accepted: Vec<_> = snapshot.resources[0].origin.accepted.iter().map(|a| (&*a.check, &*a.reason)).collect();
    assert_eq!(accepted, [("some-check", "it is a test")]);
    let alone = ".: Terraform configuration: a file of Terraform configuration has no plan beside it";
    assert_eq!(folder.gaps(&snapshot), [alone]);
    // Found by what they declare, where plan and configuration are named apart.
    let snapshot = folder.read(&["out/plan.json", "infra"]);
    assert_eq!((places(&snapshot), folder.gaps(&snapshot)), (placed.map(String::from).to_vec(), vec![]));
    // With nothing beside it the plan itself is the place.
    let snapshot = folder.read(&["out/plan.json"]);
    assert_eq!(places(&snapshot), ["aws_x.a[0] out/plan.json:0", "module.m.aws_x.b out/plan.json:0"]);
    let snapshot = folder.read(&["infra"]);
    let gap = &snapshot.gaps[0];
    assert!(snapshot.gaps.len() == 1 && gap.matters && gap.detail.starts_with("2 files"));
    assert!(gap.help.as_deref().is_some_and(|h| h.contains("terraform show -json")));
}
