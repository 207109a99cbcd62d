#include "config/rows.h"
#include "config/rules.h"
#include "config/tables.h"

namespace config {
namespace rows {

// In the order of the enumerations.
template <>
struct WordsOf<S3Style> {
  static constexpr std::string_view kNames[] = {"path", "virtual-host"};
};
template <>
struct WordsOf<CredentialsSource> {
  static constexpr std::string_view kNames[] = {"env"};
};

}  // namespace rows

using namespace rows;  // NOLINT(google-build-using-namespace): the vocabulary of these tables
using namespace std::chrono_literals;

constexpr Row kOriginTimeoutRows[] = {
    duration<&OriginTimeouts::connect>(
        "connect", "2s", {1ms, 10min}, kTransport,
        "To look the name up, connect and finish the TLS handshake, else 504."),
    duration<&OriginTimeouts::first_byte>("first_byte", "30s", {1ms, 1h}, kTransport,
                                          "From the request sent to the head of the final reply, else 504; "
                                          "interim ones (102, 103) do not put it off."),
    duration<&OriginTimeouts::idle>("idle", "30s", {1ms, 1h}, kTransport,
                                    "Between two reads of a reply's body."),
};
constexpr Decided kOriginTimeouts =
    decided<OriginTimeouts>({"origin_timeouts", "", "What an origin may take.", ""}, kOriginTimeoutRows);

constexpr Row kReplyLimitRows[] = {
    size<&ReplyLimits::head>("head", "128KiB", {4_KiB, 1_MiB}, kTransport,
                             "Bytes of a reply's head, else 502."),
    count<&ReplyLimits::fields>("fields", "512", {16, 10'000}, kTransport,
                                "Header fields of a reply, else 502."),
};
constexpr Decided kReplyLimits = decided<ReplyLimits>(
    {"reply_limits", "", "How large the head of an origin's reply may be.", ""}, kReplyLimitRows);

constexpr Row kPoolRows[] = {
    count<&Pool::idle>("idle", "64", {0, 65'536}, kTransport,
                       "Idle connections that each worker keeps open."),
    duration<&Pool::idle_timeout>("idle_timeout", "30s", {1ms, 24h}, kTransport,
                                  "How long an idle connection is kept; stay below the origin's own limit."),
    duration<&Pool::resolve_every>(
        "resolve_every", "30s", {1s, 24h}, kTransport,
        "How long the answer of a look-up of the host's name is kept at the most; its TTL says how long, "
        "where there is one (not of `/etc/hosts`). "
        "Then it is looked up again, while requests go where it led before. Idle connections to an address "
        "that is not named any more are closed, those in use when they are done."),
};
constexpr Decided kPool = decided<Pool>({"pool", "", "The connections kept to an origin.", ""}, kPoolRows);

// Also who is believed to be the origin, or the issuer.
constexpr Row kOriginTlsRows[] = {
    toggle<&OriginTls::verify>("verify", "true", kBoth,
                               "Whether the server's certificate is verified. Turn it off for tests only."),
    file<&OriginTls::ca_file>("ca_file", "", kBoth,
                              "PEM file of the authorities to trust instead of the system's."),
    rows::text<&OriginTls::server_name, HostName>(
        "server_name", "", kBoth, "The name to ask for and to verify, where it is not the host."),
};
constexpr Decided kOriginTls =
    decided<OriginTls>({"origin_tls", "", "TLS towards another server, where the URL says so.", ""},
                       kOriginTlsRows, checked<OriginTls, rules::check_tls>);

constexpr Row kCommonRows[] = {
    draft<Origin, Concurrency, kConcurrency, rules::place_concurrency<Origin>>(
        "concurrency", "", kNeither,
        "How many requests may be with the origin at a time, counted in this process."),
    toggle<&Origin::optional>("optional", "false", kNeither,
                              "Whether /ready stays green while this origin fails; it is told all the same."),
};
constexpr Decided kCommon = decided<Origin>({"origin", "", "What all origins have.", ""}, kCommonRows);

constexpr Row kDirRows[] = {
    file<&DirOrigin::path>("path", kRequired, kAnswer,
                           "The folder whose files are served; nothing outside it is."),
    toggle<&DirOrigin::follow_links>("follow_links", "false", kAnswer,
                                     "Follow symbolic links that stay beneath the folder; otherwise they are "
                                     "not found. A link can lead past "
                                     "the route that guards what it points to. Volumes that Kubernetes makes "
                                     "of a ConfigMap are full of them."),
};
constexpr Decided kDir = decided<DirOrigin>({"dir", "dir", "A folder, served like a bucket.", "", &kCommon},
                                            kDirRows, checked<DirOrigin, rules::check_dir>);

constexpr Row kCredentialsRows[] = {
    word<&CredentialsDraft::source>(
        "source", "", kLive,
        "`env`: take them from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, where "
        "set, AWS_SESSION_TOKEN."),
    file<&CredentialsDraft::file>("file", "", kLive, "A shared credentials file in the AWS format."),
    rows::text<&CredentialsDraft::profile>("profile", "default", kLive, "The profile in that file."),
};
constexpr Section kCredentials = table<CredentialsDraft>(
    {"credentials", "", "Where S3 credentials are found.", "source"}, kCredentialsRows);

// The secret has a name, its access_key_id: what is cached is known by that and outlives a rotation of the
// secret.
constexpr Row kS3Rows[] = {
    rows::text<&S3Origin::bucket, Bucket>("bucket", kRequired, kAnswer, "The bucket's name."),
    rows::text<&S3Origin::region, Region>(
        "region", "(the one that `endpoint` names at AWS; else found)", kAnswer,
        "The region that requests are signed for. Where neither this nor the endpoint says one, it is found: "
        "requests are signed for us-east-1 (which MinIO and most others take) until a reply tells another by "
        "`x-amz-bucket-region` or in its error; that one is kept, and asked once more."),
    url<&S3Origin::endpoint>(
        "endpoint", "(https://s3.<region>.amazonaws.com)", kAnswer,
        "Where the service is, without the bucket and without a path. Where neither this nor the region is "
        "said: https://s3.amazonaws.com, and the region's own host as soon as it is found. An endpoint that "
        "is said stays."),
    word<&S3Origin::style>(
        "style", "(virtual-host for amazonaws.com, path elsewhere, and for a bucket with dots over https)",
        kAnswer, "Whether the bucket stands in the host's name or in the path."),
    rows::text<&S3Origin::prefix, KeyPrefix>(
        "prefix", "", kAnswer, "Put before every key, e.g. `public/`; a slash at its end is added."),
    toggle<&S3Origin::versions>(
        "versions", "false", kAnswer,
        "Whether a request may name an old version of an object by `versionId`; otherwise that is ignored."),
    rows::text<&S3Origin::access_key_id, AccessKeyId>(
        "access_key_id", "", kAnswer,
        "With secret_access_key; without these and `credentials`, requests are anonymous."),
    secret<&S3Origin::secret_access_key, SecretText>("secret_access_key", "", kTransport,
                                                     "The secret that requests are signed with."),
    secret<&S3Origin::session_token, OptionalSecret>("session_token", "", kTransport,
                                                     "With temporary credentials; may be empty."),
    draft<S3Origin, CredentialsDraft, kCredentials, rules::place_credentials>(
        "credentials", "", kNeither, "Where to find credentials that are not written here: `env` or a file."),
    section<&S3Origin::limits, kReplyLimits>("limits", "How large the head of a reply may be."),
    section<&S3Origin::timeouts, kOriginTimeouts>("timeouts", "What the origin may take."),
    section<&S3Origin::pool, kPool>("pool", "The connections kept to the origin."),
    section<&S3Origin::tls, kOriginTls>("tls", "TLS towards the origin."),
};
constexpr Decided kS3 =
    decided<S3Origin>({"s3", "s3", "A bucket of an S3 service, GET and HEAD.", "", &kCommon}, kS3Rows,
                      checked<S3Origin, rules::check_s3>);

constexpr Row kHttpRows[] = {
    url<&HttpOrigin::url>(
        "url", kRequired, kAnswer,
        "Where requests go: http or https, a host, and maybe a port and a path to put in front."),
    toggle<&HttpOrigin::preserve_host>("preserve_host", "false", kAnswer,
                                       "Send the client's Host instead of the one in `url`."),
    section<&HttpOrigin::limits, kReplyLimits>("limits", "How large the head of a reply may be."),
    section<&HttpOrigin::timeouts, kOriginTimeouts>("timeouts", "What the origin may take."),
    section<&HttpOrigin::pool, kPool>("pool", "The connections kept to the origin."),
    section<&HttpOrigin::tls, kOriginTls>("tls", "TLS towards the origin."),
};
constexpr Decided kHttp = decided<HttpOrigin>(
    {"http", "http", "Another HTTP server: a reverse proxy for all methods.", "", &kCommon}, kHttpRows);

}  // namespace config
