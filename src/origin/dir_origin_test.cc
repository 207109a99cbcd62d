#include "origin/dir_origin.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "net/testing.h"
#include "origin/content_type.h"

namespace origin {
namespace {

namespace fs = std::filesystem;
using base::Code;

class DirOriginTest : public ::testing::Test {
 protected:
  DirOriginTest() {
    std::string pattern = fs::temp_directory_path() / "dir-origin-XXXXXX";
    top = ::mkdtemp(pattern.data());
    root = top / "root";
    fs::create_directories(root / "sub");
    write(root / "a.txt", "hello");
    write(root / "sub" / "b.json", "{}");
    write(top / "secret.txt", "secret");
    origin = make_origin(configuration(), {test.loop, test.resolver});
  }
  ~DirOriginTest() override { fs::remove_all(top); }

  static void write(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }
  config::Origin configuration() const {
    return {
        .name = "site", .concurrency = {}, .kind = config::DirOrigin{.path = root.string(), .own_files = {}}};
  }

  base::Result<Reply> get(std::string_view path, http::Method method = http::Method::kGet) {
    return test.await(origin->fetch({.method = method, .path = path}, nullptr));
  }
  Code refusal(std::string_view path) {
    auto reply = get(path);
    return reply ? Code::kCount : reply.error().code;
  }

  fs::path top, root;
  net::testing::TestLoop test;
  std::shared_ptr<Origin> origin;
};

TEST_F(DirOriginTest, ServesAFileWithItsValidators) {
  auto reply = get("/a.txt");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status(), 200);
  EXPECT_EQ(reply->length(), 5u);
  EXPECT_EQ(reply->head().value(http::FieldId::kContentType), "text/plain; charset=utf-8");
  EXPECT_EQ(reply->head().value(http::FieldId::kContentLength), "5");
  EXPECT_EQ(reply->head().value(http::FieldId::kAcceptRanges), "bytes");
  EXPECT_TRUE(reply->head().value(http::FieldId::kLastModified).ends_with(" GMT"));
  EXPECT_TRUE(reply->head().value(http::FieldId::kEtag).starts_with("\"5-"));
  ASSERT_NE(reply->file(), nullptr);
  EXPECT_EQ(reply->file()->size, 5u);
  char buffer[3];
  EXPECT_EQ(test.await(reply->read(buffer, nullptr)), 3u);
  EXPECT_EQ(test.await(reply->read(buffer, nullptr)), 2u);
  EXPECT_EQ(test.await(reply->read(buffer, nullptr)), 0u);
}

TEST_F(DirOriginTest, HeadHasTheSameHeadAndNoBody) {
  auto reply = get("/sub/b.json", http::Method::kHead);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->length(), 0u);
  ASSERT_NE(reply->file(), nullptr);  // what conditions are held against
  EXPECT_EQ(reply->file()->size, 2u);
  EXPECT_EQ(reply->head().value(http::FieldId::kContentLength), "2");
  EXPECT_EQ(reply->head().value(http::FieldId::kContentType), "application/json");
  char buffer[3];
  EXPECT_EQ(test.await(reply->read(buffer, nullptr)), 0u);
}

TEST_F(DirOriginTest, NothingLeavesTheRoot) {
  fs::create_symlink(top / "secret.txt", root / "absolute");
  fs::create_symlink("../secret.txt", root / "upwards");
  fs::create_directory_symlink("..", root / "parent");
  fs::create_symlink("/proc/self/root/etc/passwd", root / "magic");
  for (const char* path : {"/../secret.txt", "/sub/../../secret.txt", "/absolute", "/upwards",
                           "/parent/secret.txt", "/magic", "//etc/passwd"})
    EXPECT_EQ(refusal(path), Code::kNotFound) << path;
}

TEST_F(DirOriginTest, FollowsALinkThatStaysInside) {
  fs::create_symlink("../a.txt", root / "sub" / "link");
  EXPECT_EQ(refusal("/sub/link"), Code::kNotFound) << "unless it is told to";
  origin =
      make_origin({.name = "site",
                   .concurrency = {},
                   .kind = config::DirOrigin{.path = root.string(), .follow_links = true, .own_files = {}}},
                  {test.loop, test.resolver});
  EXPECT_TRUE(get("/sub/link"));
}

TEST_F(DirOriginTest, FindsRegularFilesOnly) {
  ASSERT_EQ(::mkfifo((root / "fifo").c_str(), 0600), 0);
  for (const char* path : {"/", "//", "", "/sub", "/sub/", "/a.txt/", "/a.txt/x", "/nothing", "/fifo"})
    EXPECT_EQ(refusal(path), Code::kNotFound) << path;
  EXPECT_EQ(refusal("/" + std::string(300, 'n')), Code::kNotFound);
  EXPECT_EQ(refusal("/" + std::string(9000, 'n')), Code::kNotFound);
}

TEST_F(DirOriginTest, ReadsOnly) {
  auto reply = get("/a.txt", http::Method::kPut);
  EXPECT_EQ(reply.error().code, Code::kMethodNotAllowed);
  EXPECT_EQ(origin->allowed_methods(), "GET, HEAD");
}

TEST_F(DirOriginTest, AFileThatChangesGetsAnotherTag) {
  auto before = get("/a.txt");
  write(root / "new", "HELLO");
  fs::rename(root / "new", root / "a.txt");
  auto after = get("/a.txt");
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->head().value(http::FieldId::kEtag), after->head().value(http::FieldId::kEtag));
}

TEST_F(DirOriginTest, AFileThatShrinksUnderWayIsAnError) {
  auto reply = get("/a.txt");
  ASSERT_TRUE(reply);
  fs::resize_file(root / "a.txt", 2);
  char buffer[8];
  EXPECT_EQ(test.await(reply->read(buffer, nullptr)), 2u);
  EXPECT_EQ(test.await(reply->read(buffer, nullptr)).error().code, Code::kOriginBadReply);
}

TEST_F(DirOriginTest, AMissingRootIsToldAtStartAndByTheProbe) {
  EXPECT_TRUE(test.await(origin->probe(nullptr)));
  fs::rename(root, top / "elsewhere");
  EXPECT_FALSE(test.await(origin->probe(nullptr)));
  EXPECT_THROW(make_origin(configuration(), {test.loop, test.resolver}), std::runtime_error);
  write(root, "a file");
  EXPECT_THROW(make_origin(configuration(), {test.loop, test.resolver}), std::runtime_error);
}

TEST(ContentTypeTest, GoesByTheLastExtensionInAnyCase) {
  EXPECT_EQ(content_type_of("a/b.HTML"), "text/html; charset=utf-8");
  EXPECT_EQ(content_type_of("x.tar.gz"), "application/gzip");
  EXPECT_EQ(content_type_of("woff2"), "application/octet-stream");
  EXPECT_EQ(content_type_of("a.png/b"), "application/octet-stream");
  EXPECT_EQ(content_type_of("a.averyveryverylongone"), "application/octet-stream");
  EXPECT_EQ(content_type_of("a."), "application/octet-stream");
}

}  // namespace
}  // namespace origin
