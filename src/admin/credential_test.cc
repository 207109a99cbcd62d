#include "admin/credential.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "identity/reason.h"
#include "identity/testing.h"
#include "telemetry/line_testing.h"
#include "telemetry/oplog.h"

namespace admin {
namespace {

using base::Code;
using identity::hs256_token;
using telemetry::testing_support::slurp;

class TokenFile : public telemetry::testing_support::InFolder {
 protected:
  void write(const std::string& text, ::mode_t mode = 0600) {
    std::ofstream(path_) << text;
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
  }
  std::string refusal() const {
    try {
      open_token_file(path_);
    } catch (const std::exception& error) {
      return std::string(error.what()).substr(("admin.token_file " + path_ + ": ").size());
    }
    return "";
  }
};

const std::string kToken = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF_";

TEST_F(TokenFile, IsMadeOnceAndForItsOwnerAlone) {
  for (const ::mode_t mask : {0000, 0022, 0777}) {
    std::filesystem::remove(path_);
    const ::mode_t before = ::umask(mask);
    const base::Secret made = open_token_file(path_);
    ::umask(before);
    struct stat about{};
    ASSERT_EQ(::stat(path_.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777, 0600U) << mask;
    EXPECT_EQ(made.reveal().size(), 43U);
    EXPECT_EQ(slurp(path_), std::string(made.reveal()) + "\n");
    EXPECT_TRUE(open_token_file(path_).equals(made));
  }
}

TEST_F(TokenFile, IsAnotherOneEachTime) {
  const base::Secret first = open_token_file(path_);
  std::filesystem::remove(path_);
  EXPECT_FALSE(open_token_file(path_).equals(first));
}

TEST_F(TokenFile, IsOneAndTheSameForAllWhoStartAtOnce) {
  for (int round = 0; round < 50; ++round) {
    std::filesystem::remove(path_);
    std::vector<pid_t> children;
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    for (int i = 0; i < 4; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        int code = 1;
        try {
          const base::Secret token = open_token_file(path_);
          code = ::write(ends[1], token.reveal().data(), 43) == 43 ? 0 : 1;
        } catch (const std::exception&) {
          code = 1;
        }
        ::_exit(code);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      EXPECT_EQ(status, 0);
    }
    std::string got(std::size_t{4} * 43, '\0');
    ASSERT_EQ(::read(ends[0], got.data(), got.size()), static_cast<ssize_t>(got.size()));
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(got.substr(i * 43, 43) + "\n", slurp(path_));
    ::close(ends[0]);
    ::close(ends[1]);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_), {}), 1) << "nothing stays behind";
  }
}

TEST_F(TokenFile, IsToldByItsPathAndNeverByItsContent) {
  const base::ClockShift later(telemetry::log::kWindow);  // the other tests have said it often enough
  telemetry::log::open(dir_ + "/oplog");
  const base::Secret made = open_token_file(path_);
  telemetry::log::open("stderr");
  const std::string told = slurp(dir_ + "/oplog");
  EXPECT_NE(told.find(path_), std::string::npos);
  EXPECT_EQ(told.find(made.reveal()), std::string::npos);
}

TEST_F(TokenFile, IsTakenAsTheOperatorWroteIt) {
  ::mode_t mode = 0400;
  for (const char* end : {"", "\n", "\r\n"}) {
    write(kToken + end, std::exchange(mode, mode == 0400 ? 0440 : 0640));
    EXPECT_EQ(open_token_file(path_).reveal(), kToken);
    std::filesystem::remove(path_);
  }
}

TEST_F(TokenFile, IsRefusedWhenOthersMayUseIt) {
  for (const ::mode_t mode : {0644, 0604, 0620, 0602, 0660, 0666, 0444}) {
    write(kToken, mode);
    EXPECT_EQ(refusal(), "others may read it, or others than its owner write it; make it mode 0600, or 0440")
        << mode;
  }
}

// As secrets are mounted in Kubernetes: token -> ..data/token, ..data -> a folder with a date.
TEST_F(TokenFile, MayBeAMountedSecret) {
  std::filesystem::create_directory(dir_ + "/..2026");
  std::ofstream(dir_ + "/..2026/token") << kToken;
  ASSERT_EQ(::chmod((dir_ + "/..2026/token").c_str(), 0440), 0);
  std::filesystem::create_symlink("..2026", dir_ + "/..data");
  std::filesystem::create_symlink("..data/token", path_);
  EXPECT_EQ(open_token_file(path_).reveal(), kToken);
  ASSERT_EQ(::chmod((dir_ + "/..2026/token").c_str(), 0644), 0);
  EXPECT_NE(refusal(), "");
}

TEST_F(TokenFile, IsNotMadeThroughALink) {
  std::filesystem::create_symlink(dir_ + "/nowhere", path_);
  EXPECT_EQ(refusal(), "is a symbolic link to what cannot be opened");
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/nowhere"));
}

TEST_F(TokenFile, IsRefusedWhenItIsNoToken) {
  for (const char* text : {"", "\n", "short", "0123456789012345678901234567890"}) {
    write(text);
    EXPECT_EQ(refusal(), "is empty or too short: 32 characters at least") << text;
  }
  for (const char* bad : {"\n", " ", "\"", ":"}) {
    write(std::string(kToken).append(bad).append(kToken));
    EXPECT_EQ(refusal(), "holds more than a token: letters, digits and -._~+/= only") << bad;
  }
  write(std::string(5000, 'x'));
  EXPECT_EQ(refusal(), "is too long for a token");
}

TEST_F(TokenFile, IsRefusedWhenItIsNoFile) {
  std::filesystem::create_directory(path_);
  EXPECT_EQ(refusal(), "is no plain file");
  std::filesystem::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(refusal(), "is no plain file");
}

TEST_F(TokenFile, NeedsItsFolder) {
  path_ = dir_ + "/absent/token";
  EXPECT_EQ(refusal(), "No such file or directory");
}

// ---- who may

class Who : public testing::Test {
 protected:
  void accept(std::vector<config::ClaimRule> require) {
    auto verifier = std::make_shared<const identity::Verifier>(identity::hs256_rules(), nullptr);
    credentials_.accept(std::make_shared<const identity::Verifiers>(std::vector{std::move(verifier)}),
                        std::make_shared<const identity::ClaimRules>(require));
  }
  base::Result<Credentials::Caller> ask(const std::string& fields) {
    text_ = "GET /log/level HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
    EXPECT_TRUE(http::parse_request(text_, {}, *head_));
    return credentials_.check({.head = *head_, .address = {peer_}, .now = now_, .wall = identity::kNow});
  }
  static std::string bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }
  std::string_view reason(const std::string& fields) {
    const auto caller = ask(fields);
    return caller ? "accepted" : caller.error().text;
  }
  Code code(const std::string& fields) {
    const auto caller = ask(fields);
    return caller ? Code::kInternal : caller.error().code;
  }

  Credentials credentials_{base::Secret(kToken)};
  std::uint8_t peer_ = 1;
  base::Mono now_ = base::mono_now();
  std::string text_;
  std::unique_ptr<http::RequestHead> head_ = std::make_unique<http::RequestHead>();
};

config::ClaimRule is_admin() {
  config::ClaimRule rule;
  rule.claim = "role";
  rule.values = {std::string("admin")};
  return rule;
}

TEST_F(Who, TheHolderOfTheTokenMay) {
  const auto caller = ask(bearer(kToken));
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->credential, "bootstrap_token");
  EXPECT_FALSE(caller->principal);
  EXPECT_TRUE(ask("authorization: bEARER  " + kToken + "\r\n"));
}

TEST_F(Who, NobodyElseMay) {
  EXPECT_EQ(reason(""), identity::reason::kNoCredential);
  EXPECT_EQ(reason("Authorization: Basic " + kToken + "\r\n"), identity::reason::kNoCredential);
  EXPECT_EQ(reason(bearer(kToken) + bearer(kToken)), identity::reason::kAmbiguous);
  for (const std::string& wrong : {kToken + "x", kToken.substr(1), std::string("x"), std::string(43, 'x')})
    EXPECT_EQ(reason(bearer(wrong)), "wrong_token") << wrong;
  EXPECT_EQ(reason(bearer(hs256_token(identity::kHsHeader, identity::kGoodPayload))), "wrong_token");
}

TEST_F(Who, NobodyMayWithoutAToken) {
  Credentials none{base::Secret()};
  text_ = "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \r\n\r\n";
  ASSERT_TRUE(http::parse_request(text_, {}, *head_));
  EXPECT_FALSE(none.check({.head = *head_, .address = {1}, .now = now_, .wall = identity::kNow}));
}

TEST_F(Who, AJwtMayWhoseClaimsAreAnAdministrators) {
  accept({is_admin()});
  const auto token = [](std::string_view members) {
    return bearer(hs256_token(identity::kHsHeader, identity::with_member(members)));
  };
  const auto caller = ask(token(R"("role":"admin")"));
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->credential, "jwt");
  EXPECT_EQ(caller->principal->subject, "ann");
  EXPECT_EQ(code(token(R"("role":"user")")), Code::kClaimsRejected);
  EXPECT_EQ(code(token(R"("x":1)")), Code::kClaimsRejected);
  EXPECT_EQ(reason(bearer(identity::token_signed_with("another secret of some forty-eight bytes' length",
                                                      identity::kHsHeader, identity::kGoodPayload))),
            identity::reason::kBadSignature);
  EXPECT_TRUE(ask(bearer(kToken))) << "the bootstrap token still";
  credentials_.accept(nullptr, nullptr);
  EXPECT_EQ(reason(token(R"("role":"admin")")), "wrong_token") << "a reload took the identity away";
}

TEST_F(Who, FailsOnlySoOftenASecond) {
  for (int i = 0; i < Credentials::kFailures; ++i) EXPECT_EQ(code(bearer("wrong")), Code::kUnauthorized);
  EXPECT_EQ(code(bearer("wrong")), Code::kTooManyFailures);
  EXPECT_TRUE(ask(bearer(kToken))) << "whoever else calls from there";
  peer_ = 2;
  EXPECT_EQ(code(bearer("wrong")), Code::kUnauthorized) << "others are not shut out";
  peer_ = 1;
  now_ += base::Seconds(1);
  EXPECT_EQ(code(bearer("wrong")), Code::kUnauthorized);
}

TEST_F(Who, IsNotShutOutWhoseTokenWasGoodBefore) {
  accept({is_admin()});
  const auto token = [](std::string_view members) {
    return bearer(hs256_token(identity::kHsHeader, identity::with_member(members)));
  };
  const std::string known = token(R"("role":"admin")");
  EXPECT_TRUE(ask(known));
  for (int i = 0; i <= Credentials::kFailures; ++i) EXPECT_FALSE(ask(bearer("wrong")));
  EXPECT_TRUE(ask(known));
  EXPECT_EQ(code(token(R"("role":"admin","jti":"new")")), Code::kTooManyFailures);
}

TEST_F(Who, IsNotShutOutByThoseWhoBringNoCredential) {
  accept({is_admin()});
  for (int i = 0; i < Credentials::kFailures; ++i) EXPECT_EQ(code(""), Code::kUnauthorized);
  EXPECT_EQ(code(""), Code::kTooManyFailures) << "which the audit log counts once a second";
  EXPECT_TRUE(ask(bearer(hs256_token(identity::kHsHeader, identity::with_member(R"("role":"admin")")))));
}

TEST_F(Who, MaySucceedAsOftenAsTheyLike) {
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(ask(bearer(kToken)));
}

}  // namespace
}  // namespace admin
