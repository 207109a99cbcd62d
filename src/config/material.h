// Key material and credentials: from files, the environment and the configuration itself. For those who load
// configurations and campaigns.
//
// Thread:   the one that loads.
// Failures: the error is a sentence without any of the bytes.
#pragma once

#include <string>

#include "config/drafts.h"
#include "config/env.h"
#include "config/values.h"

namespace config {

// At most 64 KiB; one newline (or CR LF) at the end is taken off. An empty file is an error.
Parsed<base::Secret> read_secret_file(const std::string& path);

Parsed<base::Secret> decode(const base::Secret& written, Encoding encoding);

struct AwsCredentials {
  std::string access_key_id;
  base::Secret secret_access_key;
  base::Secret session_token;
};

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, where set, AWS_SESSION_TOKEN.
Parsed<AwsCredentials> credentials_from_env(const Env& env);

// The shared credentials file: an INI with [profile] sections.
Parsed<AwsCredentials> credentials_from_ini(const base::Secret& ini, std::string_view profile);

}  // namespace config
