// One user of the load: makes one journey after the other, a step at a time, each target on a connection of
// its own.
//
// Open model: a user belongs to one scenario and takes the next arrival that waits for it. Closed model: a
// user chooses a scenario by weight for each journey, as long as the phase wants him.
//
// Owner:    its generator.  Thread: the generator's.
// Lifetime: run() returns once the generator has told it that nothing comes any more.
// Failure:  none of its own; whatever goes wrong is written down as an outcome.
#pragma once

#include <coroutine>
#include <string>
#include <utility>
#include <vector>

#include "net/scope.h"
#include "net/stream.h"
#include "prove/engine/exchange.h"
#include "prove/model/random.h"

namespace prove {

class Generator;

class User {
 public:
  static constexpr std::size_t kAnyScenario = ~std::size_t{0};

  User(Generator& generator, std::uint64_t number, std::size_t scenario);
  User(User&&) = delete;

  net::Task<> run();

  std::uint64_t number() const { return number_; }
  std::size_t scenario() const { return scenario_; }  // kAnyScenario: closed model
  bool open_model() const { return scenario_ != kAnyScenario; }
  // When the next journey may begin: the last one has ended, and the think time after it.
  Nanos free_at() const { return free_at_; }
  std::uint64_t journeys() const { return iteration_; }
  bool went_well() const { return well_ && has_asked_; }  // the last journey
  bool on_journey() const { return on_journey_; }
  Random& random() { return random_; }

  // ---- for the generator
  void go(std::size_t scenario, Nanos intended) {  // the next journey
    journey_scenario_ = scenario;
    journey_start_ = intended;
    on_journey_ = true;
  }
  void rest() { on_journey_ = false; }
  void resume() { std::exchange(parked_, nullptr).resume(); }  // with a journey, or to leave for good
  void cut();                                                  // whatever he waits for ends now

 private:
  struct Connection {
    net::Stream stream;
    Nanos connect_took{};
    Nanos rests_since{};  // the end of its last reply
    bool used = false;    // a reply has come over it
  };
  struct Park {  // until the generator resumes him
    User& user;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> h) const { user.parked_ = h; }
    void await_resume() const {}
  };

  struct Asking {  // the step that he is at
    const PlannedStep* step = nullptr;
    Record record;
    Wire wire;
    std::size_t target = 0;  // the step's, or where redirects have led
    std::uint64_t hops = 0;  // redirects so far
    base::Mono deadline{};
    bool tried = false;       // it was not too late already
    bool asked = false;       // the exchange is about it
    bool anew = false;        // it was tried before, on a connection that is gone
    bool told_nonce = false;  // the reply to it asked for a nonce, and it was sent again with that
    bool resent = false;      // and may have been read there: a retry once it is on its way
  };
  enum class After : std::uint8_t {  // an exchange
    kDone,
    kAgain,     // the request is ready to go out once more, or the one that follows a redirect
    kLost,      // the connection, with what was on it
    kUnsent,    // the connection, before the request set out
    kMayBeNew,  // the connection; was_unread() tells whether the request may go out once more
  };

  // ---- what waits; run() itself waits for the exchange and while he thinks
  net::Task<Ending> connect(Connection& connection, base::Mono deadline);
  net::Task<bool> was_unread(Connection& connection, const PlannedStep& step);

  // ---- what does not, in the order of run()
  void begin_journey();
  void tell_left_out();
  bool begin_step();   // false: the journey has no more
  bool may_set_out();  // false: the step has ended before a byte of it could go out
  bool has_connection(Ending of_connect);
  net::Stream& set_out();
  net::Wake after_pause() const;
  After after_exchange(net::Wake wake);
  After after_redirect();
  CookieJar* jar();  // of the journey's scenario; null: none
  void add_cookies();
  bool once_more(After after);
  void end_step();
  bool thinks();  // he is to be parked until then
  void has_thought();
  void cut_short();
  void end_journey();

  const PlannedScenario& journey() const;
  Connection& connection() { return connections_[ask_.target]; }
  bool end_with(Ending ending, Nanos done);  // the step; false
  void take_reply();
  bool fit_for_use(Connection& connection, Nanos now);
  void close(Connection& connection);
  Wire rendered(const PlannedStep& step);
  bool asked_for_nonce(const PlannedStep& step);

  Generator& generator_;
  const std::uint64_t number_;
  const std::size_t scenario_;
  std::size_t journey_scenario_ = 0;
  Nanos journey_start_{};
  Nanos free_at_{};
  bool on_journey_ = false;
  bool well_ = true;
  bool cut_ = false;
  std::size_t next_step_ = 0;  // of the journey
  Course::Position position_;  // in it, where it has a course
  bool has_asked_ = true;      // a step of it was begun
  Nanos intended_{};           // when that is to begin
  Reason why_skipped_ = Reason::kNone;
  Asking ask_;
  std::string_view trouble_;  // what a connection that failed says of it
  std::coroutine_handle<> parked_;
  net::Cancel cancel_;                   // of a connection that is being made
  net::Stream* waits_ = nullptr;         // for this
  std::vector<Connection> connections_;  // by target
  Values values_;
  std::uint64_t iteration_ = 0;  // journeys so far
  std::string buffer_;
  ProofMemory proofs_;
  std::string next_buffer_;  // of a request that follows a redirect
  HeadNotes notes_;
  CookieJar of_journey_, of_user_;
  Random random_;
  Exchange exchange_;
};

}  // namespace prove
