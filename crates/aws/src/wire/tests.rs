use model::to_json;
use serde_json::{Value as Json, json};

use super::{Raw, api_error, build, decode, time};
use crate::facts::Facts;

fn raw(status: u16, headers: &[(&str, &str)], body: &str) -> Raw {
    let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Raw { status, headers, body: body.as_bytes().to_vec() }
}

fn read(service: &str, operation: &str, body: &str) -> Result<Json, String> {
    read_raw(service, operation, &raw(200, &[], body))
}

fn read_raw(service: &str, operation: &str, raw: &Raw) -> Result<Json, String> {
    let facts = Facts::get().service(service).unwrap();
    let (name, op) = facts.operations.get_key_value(operation).unwrap();
    decode(service, facts, (name, op), raw).map(|v| to_json(&v))
}

fn request(service: &str, operation: &str, input: Json) -> Result<super::Parts, String> {
    let facts = Facts::get().service(service).unwrap();
    let (name, op) = facts.operations.get_key_value(operation).unwrap();
    build(service, facts, (name, op), input.as_object().unwrap())
}

fn body(service: &str, operation: &str, input: Json) -> String {
    String::from_utf8(request(service, operation, input).unwrap().body).unwrap()
}

#[test]
fn requests_of_each_protocol() {
    let ec2 =
        body("ec2", "DescribeInstances", json!({ "Filters": [{ "Name": "vpc-id", "Values": ["a", "b"] }], "MaxResults": 5 }));
    assert_eq!(
        ec2,
        "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=vpc-id&Filter.1.Value.1=a&Filter.1.Value.2=b&MaxResults=5"
    );
    let query = body("iam", "GetAccountAuthorizationDetails", json!({ "Filter": ["User", "Role"] }));
    assert_eq!(query, "Action=GetAccountAuthorizationDetails&Version=2010-05-08&Filter.member.1=User&Filter.member.2=Role");
    let rds = body("rds", "DescribeDBInstances", json!({ "Filters": [{ "Name": "n", "Values": ["v"] }] }));
    assert!(rds.ends_with("&Filters.Filter.1.Name=n&Filters.Filter.1.Values.Value.1=v"), "{rds}");

    let parts = request("dynamodb", "DescribeTable", json!({ "TableName": "t" })).unwrap();
    assert_eq!(String::from_utf8(parts.body).unwrap(), "{\"TableName\":\"t\"}");
    assert_eq!(parts.headers[0].1, "application/x-amz-json-1.0");
    assert_eq!(parts.headers[1].1, "DynamoDB_20120810.DescribeTable");
    assert_eq!(request("logs", "DescribeLogGroups", json!({})).unwrap().headers[0].1, "application/x-amz-json-1.1");

    let parts = request("lambda", "GetPolicy", json!({ "FunctionName": "arn:a/b c" })).unwrap();
    assert_eq!((parts.method.as_str(), parts.path.as_str()), ("GET", "/2015-03-31/functions/arn%3Aa%2Fb%20c/policy"));
    let parts = request("backup", "ListBackupVaults", json!({ "MaxResults": 7 })).unwrap();
    assert_eq!((parts.path.as_str(), parts.query.as_str()), ("/backup-vaults/", "maxResults=7"));
    let parts = request("guardduty", "ListFindings", json!({ "DetectorId": "d", "MaxResults": 3 })).unwrap();
    assert_eq!(
        (parts.path.as_str(), String::from_utf8(parts.body).unwrap().as_str()),
        ("/detector/d/findings", "{\"maxResults\":3}")
    );

    let parts = request("s3", "GetBucketPolicy", json!({ "Bucket": "b", "ExpectedBucketOwner": "1" })).unwrap();
    assert_eq!((parts.path.as_str(), parts.query.as_str()), ("/b", "policy="));
    assert_eq!(parts.headers, [("x-amz-expected-bucket-owner".to_owned(), "1".to_owned())]);
    assert_eq!(parts.bucket.as_deref(), Some("b"));
}

#[test]
fn route53_takes_ids_as_it_gives_them() {
    let parts = request("route53", "GetHostedZone", json!({ "Id": "/hostedzone/Z1" })).unwrap();
    assert_eq!(parts.path, "/2013-04-01/hostedzone/Z1");
}

#[test]
fn an_account_id_stands_in_front_of_the_host() {
    let parts = request("s3control", "GetPublicAccessBlock", json!({ "AccountId": "123456789012" })).unwrap();
    assert_eq!(parts.headers, [("x-amz-account-id".to_owned(), "123456789012".to_owned())]);
}

#[test]
fn inputs_are_checked() {
    assert!(request("s3", "GetBucketPolicy", json!({})).unwrap_err().contains("`Bucket`"));
    assert!(request("s3", "GetBucketPolicy", json!({ "Bucket": "b", "Buckett": "b" })).unwrap_err().contains("`Buckett`"));
}

/// What only the shapes tell: one element is a list, an empty set is a list, a number is a number.
#[test]
fn xml_by_shape() {
    let text = "<DescribeVolumesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><volumeSet><item><volumeId>vol-1</volumeId>\
        <size>8</size><encrypted>false</encrypted><createTime>2026-01-02T03:04:05.678Z</createTime><attachmentSet/></item></volumeSet>\
        </DescribeVolumesResponse>";
    let wanted = json!({ "Volumes": [{
        "Attachments": [], "CreateTime": "2026-01-02T03:04:05.678Z", "Encrypted": false, "Size": 8, "VolumeId": "vol-1"
    }] });
    assert_eq!(read("ec2", "DescribeVolumes", text), Ok(wanted));

    let text =
        "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><Users/></ListUsersResult></ListUsersResponse>";
    assert_eq!(read("iam", "ListUsers", text), Ok(json!({ "IsTruncated": false, "Users": [] })));
    assert!(read("iam", "ListUsers", "<ListUsersResponse/>").unwrap_err().contains("ListUsersResult"));
}

#[test]
fn maps_flattened_lists_and_attributes() {
    let text = "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes><entry><key>Owner</key><value>1</value></entry>\
        <entry><key>KmsMasterKeyId</key><value>k</value></entry></Attributes></GetTopicAttributesResult></GetTopicAttributesResponse>";
    assert_eq!(read("sns", "GetTopicAttributes", text), Ok(json!({ "Attributes": { "KmsMasterKeyId": "k", "Owner": "1" } })));

    let text = "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status></Rule><Rule><ID>b</ID><Status>Disabled</Status></Rule></LifecycleConfiguration>";
    let wanted = json!({ "Rules": [{ "ID": "a", "Status": "Enabled" }, { "ID": "b", "Status": "Disabled" }] });
    assert_eq!(read("s3", "GetBucketLifecycleConfiguration", text), Ok(wanted));

    let text = "<AccessControlPolicy xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><AccessControlList><Grant>\
        <Grantee xsi:type=\"Group\"><URI>u</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>";
    let wanted = json!({ "Grants": [{ "Grantee": { "Type": "Group", "URI": "u" }, "Permission": "READ" }] });
    assert_eq!(read("s3", "GetBucketAcl", text), Ok(wanted));
}

#[test]
fn payloads_are_whole_bodies() {
    assert_eq!(read("s3", "GetBucketPolicy", "{\"Version\":\"x\"}"), Ok(json!({ "Policy": "{\"Version\":\"x\"}" })));
    let text = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>";
    let wanted = json!({ "PublicAccessBlockConfiguration": { "BlockPublicAcls": true } });
    assert_eq!(read("s3", "GetPublicAccessBlock", text), Ok(wanted));
}

#[test]
fn where_a_bucket_lies() {
    let at = |text: &str| read("s3", "GetBucketLocation", text).unwrap()["LocationConstraint"].clone();
    assert_eq!(at("<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>"), "us-east-1");
    assert_eq!(at("<LocationConstraint>EU</LocationConstraint>"), "eu-west-1");
    assert_eq!(at("<LocationConstraint>ap-south-1</LocationConstraint>"), "ap-south-1");
}

#[test]
fn iam_policies_are_objects() {
    let text = "<GetRoleResponse><GetRoleResult><Role><Path>/</Path><RoleName>r</RoleName><AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%7D\
        </AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>";
    let found = read("iam", "GetRole", text).unwrap();
    assert_eq!(found["Role"]["AssumeRolePolicyDocument"], json!({ "Version": "2012-10-17" }));
}

#[test]
fn json_by_shape() {
    let text = "{\"Table\":{\"TableName\":\"t\",\"CreationDateTime\":1767323045.5,\"ItemCount\":3},\"Unasked\":1}";
    let wanted = json!({ "Table": { "CreationDateTime": "2026-01-02T03:04:05.5Z", "ItemCount": 3, "TableName": "t" } });
    assert_eq!(read("dynamodb", "DescribeTable", text), Ok(wanted));
    let text = "{\"cluster\":{\"name\":\"c\",\"createdAt\":1.7e9,\"tags\":{\"a\":\"b\"}}}";
    let found = read("eks", "DescribeCluster", text).unwrap();
    assert_eq!(found["cluster"]["tags"], json!({ "a": "b" }));
    assert_eq!(found["cluster"]["createdAt"], "2023-11-14T22:13:20Z");
}

#[test]
fn another_shape_is_an_error_and_not_nothing() {
    for (service, operation, text) in [
        ("dynamodb", "DescribeTable", "[]"),
        ("dynamodb", "DescribeTable", "{\"Table\":[]}"),
        ("dynamodb", "ListTables", "{\"TableNames\":\"a\"}"),
        ("dynamodb", "ListTables", "{\"TableNames\":[\"a\""),
        ("eks", "ListClusters", "<html></html>"),
        ("eks", "ListClusters", ""),
        ("ec2", "DescribeVolumes", "<html><body>Sign in</body></html>"),
        ("ec2", "DescribeVolumes", "{}"),
        ("ec2", "DescribeVolumes", "<a><b></a>"),
        ("s3", "GetBucketAcl", "<!DOCTYPE x [<!ENTITY a \"b\">]><AccessControlPolicy/>"),
    ] {
        assert!(read(service, operation, text).is_err(), "{service}:{operation} {text}");
    }
}

#[test]
fn depth_is_limited() {
    let nested = |n: usize| format!("{}1{}", "{\"M\":{\"a\":".repeat(n), "}}".repeat(n));
    let facts = Facts::get().service("dynamodb").unwrap();
    assert!(facts.operations.contains_key("DescribeTable"));
    let deep = format!("{{\"Table\":{}}}", nested(200));
    assert!(read("dynamodb", "DescribeTable", &deep).is_err());
    let xml = format!("<x>{}{}</x>", "<a>".repeat(5_000), "</a>".repeat(5_000));
    assert!(read("ec2", "DescribeVolumes", &xml).is_ok());
}

#[test]
fn errors_in_all_their_forms() {
    let code = |status, headers: &[(&str, &str)], body: &str| api_error(&raw(status, headers, body)).code;
    let xml = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>";
    assert_eq!(code(403, &[], xml), "UnauthorizedOperation");
    let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code></Error></ErrorResponse>";
    assert_eq!(code(404, &[], xml), "NoSuchEntity");
    assert_eq!(code(404, &[], "<Error><Code>NoSuchBucketPolicy</Code></Error>"), "NoSuchBucketPolicy");
    assert_eq!(
        code(400, &[], "{\"__type\":\"com.amazonaws.x#ResourceNotFoundException\",\"message\":\"m\"}"),
        "ResourceNotFoundException"
    );
    let header = [("x-amzn-errortype", "NotFoundException:http://internal.amazon.com/coral/")];
    assert_eq!(code(404, &header, "{\"Message\":\"m\"}"), "NotFoundException");
    let header = [("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender")];
    assert_eq!(code(400, &header, "{\"__type\":\"QueueDoesNotExist\"}"), "AWS.SimpleQueueService.NonExistentQueue");
    assert_eq!(code(503, &[], "<html>Service Unavailable</html>"), "");
    let page = Raw { status: 503, headers: Vec::new(), body: b"<html></html>".to_vec() };
    assert_eq!(api_error(&page).message, "HTTP 503 with a web page in place of an answer");
    let moved = api_error(&raw(301, &[("x-amz-bucket-region", "eu-west-1")], ""));
    assert_eq!(moved.region.as_deref(), Some("eu-west-1"));
}

#[test]
fn times_have_one_form() {
    for text in
        ["2026-01-02T03:04:05Z", "Fri, 02 Jan 2026 03:04:05 GMT", "1767323045", "1767323045.0", "2026-01-02T04:04:05+01:00"]
    {
        assert_eq!(time(text), "2026-01-02T03:04:05Z", "{text}");
    }
    assert_eq!(time("soon"), "soon");
    assert_eq!(time("1e300"), "1e300");
}

#[test]
fn what_is_no_policy_is_not_taken_for_one() {
    let service = crate::facts::Facts::get().service("s3").unwrap();
    let operation = service.operations.get_key_value("GetBucketPolicy").unwrap();
    let read = |body: &str| {
        let raw = Raw { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
        decode("s3", service, (operation.0, operation.1), &raw)
    };
    assert!(read("{\"Statement\": []}").is_ok());
    for body in ["<html><body>Sign in</body></html>", "\"?\"", "[]", "oops", ""] {
        assert!(read(body).is_err(), "{body}");
    }
}
