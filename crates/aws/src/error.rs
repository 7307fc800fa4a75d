//! What can go wrong before the first call, and with a call.

use std::fmt;

/// What keeps a collection from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwsError {
    /// No credentials could be found, or those found cannot be used.
    Credentials {
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// A setting that cannot be used: a Region's name, a CA bundle, a proxy, a profile.
    Config {
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// A role could not be assumed.
    Role {
        /// The role.
        arn: String,
        /// What the Security Token Service said.
        error: CallError,
    },
    /// The account could not be asked who it is.
    Identity(CallError),
    /// The catalogue names a call that the API facts do not have, or an expression that cannot be read.
    Plan(String),
}

impl AwsError {
    pub(crate) fn credentials(message: impl Into<String>, help: impl Into<String>) -> AwsError {
        AwsError::Credentials { message: message.into(), help: help.into() }
    }

    pub(crate) fn config(message: impl Into<String>, help: impl Into<String>) -> AwsError {
        AwsError::Config { message: message.into(), help: help.into() }
    }

    /// What to do about it, where that is known.
    pub fn help(&self) -> Option<&str> {
        match self {
            AwsError::Credentials { help, .. } | AwsError::Config { help, .. } => Some(help),
            AwsError::Role { error, .. } if error.kind == ErrorKind::Denied => {
                Some("check the role's trust policy and the caller's permissions")
            }
            AwsError::Identity(error) | AwsError::Role { error, .. } if error.kind == ErrorKind::Credentials => {
                Some("the credentials are wrong or expired: sign in again")
            }
            AwsError::Identity(error) | AwsError::Role { error, .. }
                if matches!(error.kind, ErrorKind::Failed | ErrorKind::Malformed | ErrorKind::Throttled) =>
            {
                Some("check the network, the proxy, the Region and `AWS_ENDPOINT_URL`")
            }
            AwsError::Role { .. } => Some("check the role's name, its trust policy and the caller's permissions"),
            AwsError::Identity(_) | AwsError::Plan(_) => None,
        }
    }

    /// What kind of failed call it was, if it was one.
    pub(crate) fn kind(&self) -> Option<ErrorKind> {
        match self {
            AwsError::Role { error, .. } | AwsError::Identity(error) => Some(error.kind),
            _ => None,
        }
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AwsError::Credentials { message, .. } | AwsError::Config { message, .. } => f.write_str(message),
            AwsError::Role { arn, error } => write!(f, "`{arn}` could not be assumed: {error}"),
            AwsError::Identity(error) => write!(f, "could not find out which account this is: {error}"),
            AwsError::Plan(message) => write!(f, "the catalogue cannot be collected: {message}"),
        }
    }
}

impl std::error::Error for AwsError {}

/// A call that gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// The API and operation, `s3:GetBucketPolicy`.
    pub call: String,
    /// The code that AWS gave; empty if none.
    pub code: String,
    /// What AWS, or the network, said. At most 300 characters, without control characters.
    pub message: String,
}

/// What kind of failure a call met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The caller may not.
    Denied,
    /// The credentials are missing, wrong or expired.
    Credentials,
    /// The service isn't offered, or the Region isn't enabled.
    NotOffered,
    /// Refused for being too many, again and again.
    Throttled,
    /// AWS refused the call for another reason: not found, not valid, not subscribed.
    Rejected,
    /// No answer, or one that says that the service failed.
    Failed,
    /// An answer that is not what the API promises.
    Malformed,
    /// One of our limits was reached.
    Limit,
    /// The user stopped it.
    Cancelled,
}

impl CallError {
    pub(crate) fn new(kind: ErrorKind, call: &str, code: &str, message: &str) -> CallError {
        let message = message.chars().filter(|c| !c.is_control()).take(300).collect();
        let code = code.chars().filter(|c| c.is_ascii_graphic()).take(100).collect();
        CallError { kind, call: call.to_owned(), code, message }
    }

    /// True if one of these (`Code`, or `Code: words of the message`) describes it.
    pub(crate) fn is_one_of(&self, forms: &[String]) -> bool {
        forms.iter().any(|form| match form.split_once(": ") {
            Some((code, words)) => self.code == code && self.message.contains(words),
            None => self.code == *form,
        })
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code.is_empty(), self.message.is_empty()) {
            (true, _) => write!(f, "`{}`: {}", self.call, self.message),
            (false, true) => write!(f, "`{}`: {}", self.call, self.code),
            (false, false) => write!(f, "`{}`: {}: {}", self.call, self.code, self.message),
        }
    }
}

impl std::error::Error for CallError {}

/// The kind of an error answer by its code and status.
pub(crate) fn classify(code: &str, status: u16) -> ErrorKind {
    let short = code.strip_prefix("Client.").unwrap_or(code);
    if THROTTLES.contains(&short) || (status == 429 && short.is_empty()) {
        return ErrorKind::Throttled;
    }
    match short {
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "NotAuthorized"
        | "UnauthorizedAccess"
        | "UnauthorizedException"
        | "Forbidden"
        | "ForbiddenException"
        | "AllAccessDisabled"
        | "InsufficientPrivilegesException"
        | "AccessDeniedForDependencyException" => ErrorKind::Denied,
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "AuthFailure"
        | "InvalidToken"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignature"
        | "RequestTimeTooSkewed"
        | "RequestExpired"
        | "TokenRefreshRequired" => ErrorKind::Credentials,
        "OptInRequired" | "SubscriptionRequiredException" | "RegionDisabledException" => ErrorKind::NotOffered,
        _ if status >= 500 => ErrorKind::Failed,
        "RequestTimeout" | "RequestTimeoutException" | "InternalFailure" | "InternalError" | "ServiceUnavailable" => {
            ErrorKind::Failed
        }
        _ if matches!(status, 401 | 403) => ErrorKind::Denied,
        _ => ErrorKind::Rejected,
    }
}

/// The codes that mean "too many" (AWS SDKs reference guide, "Retry behavior").
const THROTTLES: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "RequestThrottled",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
];
