// What no single key can tell: which keys go together, which names exist, what a value defaults to when it
// depends on another. Internal to the room; keys.cc hangs these on its sections.
//
// Failures: ConfigError, at the line of the key in question.
#pragma once

#include "config/drafts.h"
#include "config/reader.h"

namespace config::rules {

void place_listen(Reader&, const YamlNode&, Listen&&, Config&);
void place_origin(Reader&, const Entry&, const Section&, Config&);
void place_identity(Reader&, const Entry&, const Section&, Config&);
void place_route(Reader&, const YamlNode&, Route&&, Config&);
void place_credentials(Reader&, const YamlNode&, CredentialsDraft&&, S3Origin&);
void place_key(Reader&, const YamlNode&, KeyDraft&&, JwtIdentity&);
void place_token_source(Reader&, const YamlNode&, TokenSourceDraft&&, JwtIdentity&);

void check_dir(Reader&, const YamlNode&, DirOrigin&);
void check_s3(Reader&, const YamlNode&, S3Origin&);
void check_tls(Reader&, const YamlNode&, OriginTls&);
void check_identity(Reader&, const YamlNode&, JwtIdentity&);
void check_config(Reader&, const YamlNode&, Config&);

}  // namespace config::rules
