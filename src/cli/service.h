// What a subsystem is to the process: when it starts, what a reload does to it, how it ends, what it shows.
// And the list of them all, which is the only thing that the signals, the scrape and the end of the process
// talk to.
//
// Owner:    Server has each service as a member (that is "provision": a constructor throws one line) and one
//           ServiceList of them, in the order in which they start.
// Thread:   the main thread's; expose() and dependencies() are called on the admin's, while everything runs.
// Lifetime: start() is called once or, where another service failed before, never; cut() and stop() only
//           after it.
// Failure:  constructors, start() and prepare() throw one line. Nothing else may fail: what does not work
//           later is logged, counted, or shown as a dependency.
//
// The order of the list is that of start(): what others need comes first, who serves clients last. A reload
// prepares in this order, and commits in the reverse one: who serves gets the new configuration before
// anything behind is taken away. An end drains, closes and cuts in order, and stops in reverse.
//
//   start ─► { reopen, prepare ─► commit (or discard) } ─► drain ─► close ─► (cut) ─► stop
//
// Most services have little to say to most of it: every verb does nothing unless it is overridden.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "admin/dependency.h"
#include "gateway/snapshot.h"
#include "telemetry/page.h"

namespace cli {

class Service {
 public:
  using Snapshot = std::shared_ptr<const gateway::Snapshot>;

  virtual void start(const Snapshot&) {}

  virtual void reopen() {}                  // files that somebody has moved away
  virtual void prepare(const Snapshot&) {}  // all that can fail, beside what serves
  virtual void commit(const Snapshot&) {}   // what was prepared holds from now on
  virtual void discard() {}  // another has failed, or this one: as if nothing had been prepared

  virtual void drain() {}                         // the end is near, but serve on
  virtual void close() {}                         // take nothing new; end when what is under way has ended
  virtual void cut() {}                           // end now
  virtual bool finished() const { return true; }  // after close() or cut(): nothing is under way
  virtual void stop() {}                          // everybody in front of it has stopped

  virtual void expose(telemetry::Page&) const {}                       // its families, where they are counted
  virtual void dependencies(std::vector<admin::Dependency>&) const {}  // what /ready shall tell of

 protected:
  ~Service() = default;
};

class ServiceList {
 public:
  ServiceList(std::initializer_list<Service*> services) : services_(services) {}

  void start(const Service::Snapshot& snapshot);
  void reopen();
  // All of them or none: "" or why not.
  std::string reload(const Service::Snapshot& next);
  void drain();
  void close();
  void cut();
  bool finished() const;
  void stop();
  void expose(telemetry::Page& page) const;
  std::vector<admin::Dependency> dependencies() const;

 private:
  std::vector<Service*> services_;
};

}  // namespace cli
