//! `s3://` paths: which log files lie there within the days asked for, and their bytes.
//!
//! A trail's layout (`AWSLogs/[organisation/]account/CloudTrail/region/year/month/day/`) and that of flow logs (`vpcflowlogs` in its
//! place, also with the names of partitions: `aws-service=vpcflowlogs/aws-region=x/year=2026/...`) are followed downwards, and below a
//! Region only the days asked for are listed: the bucket is never walked as a whole. Credentials, Region and endpoint come
//! from the environment, as for every other command, or from `--profile` and `--region`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use aws::{Bucket, Config, Environment, Object};

/// How a path into a bucket begins.
const SCHEME: &str = "s3://";

/// The longest range of days that is asked for day by day.
const DAYS_MAX: i64 = 3_700;

/// How many levels are followed down from the prefix to a Region.
const LEVELS_MAX: usize = 6;

/// The buckets that are in use.
static OPEN: Mutex<BTreeMap<String, Arc<Bucket>>> = Mutex::new(BTreeMap::new());

/// How to sign in.
static CONFIG: Mutex<Option<Config>> = Mutex::new(None);

/// Says how to sign in to buckets; else it is as the environment says.
pub(crate) fn sign_in(config: Config) {
    *CONFIG.lock().unwrap_or_else(PoisonError::into_inner) = Some(config);
}

/// Bucket and key, if a path is one into a bucket.
pub(crate) fn parse(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix(SCHEME)?;
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

fn bucket(name: &str) -> Result<Arc<Bucket>> {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bucket) = open.get(name) {
        return Ok(Arc::clone(bucket));
    }
    let given = CONFIG.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let config = given.unwrap_or_else(|| Config { environment: Environment::of_process(), ..Config::default() });
    let bucket = Bucket::open(&config, name).map_err(|error| match error.help() {
        Some(help) => anyhow::anyhow!("{error}\n  help: {help}"),
        None => anyhow::anyhow!("{error}"),
    })?;
    let bucket = Arc::new(bucket);
    open.insert(name.to_owned(), Arc::clone(&bucket));
    Ok(bucket)
}

/// The bytes of an object.
pub(crate) fn read(name: &str, key: &str) -> Result<Vec<u8>> {
    Ok(bucket(name)?.get(key)?)
}

/// The bytes of an object, and what its own metadata has under a name.
pub(crate) fn read_with(name: &str, key: &str, metadata: &str) -> Result<(Vec<u8>, Option<String>)> {
    Ok(bucket(name)?.get_with(key, metadata)?)
}

/// The keys of everything below a path, digests and all.
pub(crate) fn keys(path: &str) -> Result<Vec<String>> {
    let Some((name, prefix)) = parse(path) else { bail!("`{path}` is not a path into a bucket") };
    let objects = bucket(name)?.list(prefix).with_context(|| format!("cannot list `{path}`"))?;
    Ok(objects.into_iter().map(|object| object.key).filter(|key| !key.ends_with('/')).collect())
}

/// The log files at or below a path, with their paths and lengths. `from` and `to` are days, `20230710`.
pub(crate) fn list(path: &str, from: Option<&str>, to: Option<&str>) -> Result<Vec<(String, u64)>> {
    let Some((name, prefix)) = parse(path) else { bail!("`{path}` is not a path into a bucket") };
    let bucket = bucket(name)?;
    let days = from.map(|from| days(from, to)).transpose()?;
    let mut objects = match &days {
        Some(days) => below(&bucket, prefix, days, 0),
        None => bucket.list(prefix).map_err(Into::into),
    }
    .with_context(|| format!("cannot list `{path}`"))?;
    objects.retain(|object| object.bytes > 0 && !object.key.ends_with('/') && !object.key.contains("CloudTrail-Digest/"));
    Ok(objects.into_iter().map(|object| (format!("{SCHEME}{name}/{}", object.key), object.bytes)).collect())
}

/// What stands above the Regions in a bucket that AWS delivers to.
const SERVICES: &[&str] = &["CloudTrail", "vpcflowlogs", "aws-service=vpcflowlogs"];

/// A day `2023/07/10` as the partitions of Hive have it.
fn partition(day: &str) -> String {
    let parts = ["year", "month", "day"].into_iter().zip(day.split('/'));
    parts.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("/")
}

/// Goes down to the Regions, and there to the days.
fn below(bucket: &Bucket, prefix: &str, days: &[String], level: usize) -> Result<Vec<Object>> {
    let parts: Vec<&str> = prefix.trim_end_matches('/').rsplit('/').collect();
    if let Some(service) = parts.get(1).filter(|part| SERVICES.contains(part)) {
        let mut found = vec![];
        for day in days {
            let day = if service.contains('=') { partition(day) } else { day.clone() };
            found.extend(bucket.list(&format!("{}/{day}/", prefix.trim_end_matches('/')))?);
        }
        return Ok(found);
    }
    if level >= LEVELS_MAX || parts.iter().any(|part| SERVICES.contains(part) && Some(part) != parts.first()) {
        return Ok(bucket.list(prefix)?);
    }
    let (mut found, folders) = bucket.level(prefix)?;
    for folder in folders.iter().filter(|folder| !folder.ends_with("CloudTrail-Digest/")) {
        found.extend(below(bucket, folder, days, level + 1)?);
    }
    Ok(found)
}

/// The days of a range as they stand in keys, `2023/07/10`.
fn days(from: &str, to: Option<&str>) -> Result<Vec<String>> {
    let date = |text: &str| jiff::civil::Date::strptime("%Y%m%d", text).with_context(|| format!("`{text}` is not a day"));
    let first = date(from)?;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    // What happens just before midnight is delivered on the next day.
    let last = to.map(date).transpose()?.unwrap_or(today);
    let count = i64::from((last - first).get_days());
    if count > DAYS_MAX {
        bail!("{count} days are more than the {DAYS_MAX} that are asked for one by one\n  help: begin later");
    }
    Ok(first
        .series(jiff::ToSpan::days(1))
        .take_while(|day| *day <= last)
        .map(|day| day.strftime("%Y/%m/%d").to_string())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_bucket_and_key() {
        assert_eq!(parse("s3://b/x/y.gz"), Some(("b", "x/y.gz")));
        assert_eq!(parse("s3://b"), Some(("b", "")));
        assert_eq!(parse("b/x"), None);
    }

    #[test]
    fn a_day_has_the_names_of_partitions() {
        assert_eq!(partition("2023/07/10"), "year=2023/month=07/day=10");
    }

    #[test]
    fn a_range_is_its_days() {
        assert_eq!(days("20240228", Some("20240301")).unwrap(), ["2024/02/28", "2024/02/29", "2024/03/01"]);
        assert_eq!(days("20240301", Some("20240228")).unwrap(), [""; 0]);
        assert!(days("19000101", Some("20240228")).is_err());
    }
}
