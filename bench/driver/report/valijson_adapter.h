// Lets valijson read a Json without a copy of it. Its own adapter is for nlohmann::json, which sorts
// its keys, and not for the ordered one that this project uses.
#pragma once

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <valijson/internal/adapter.hpp>
#include <valijson/internal/basic_adapter.hpp>
#include <valijson/internal/frozen_value.hpp>

#include "json/json.h"

namespace muxbench::valijson_adapter {

namespace va = valijson::adapters;

inline const Json* nothing(Json::value_t type) {
  static const Json list = Json::array();
  static const Json object = Json::object();
  return type == Json::value_t::array ? &list : &object;
}

class Adapter;
using Member = std::pair<std::string, Adapter>;

// Of an array if Value is Adapter, and of an object if it is Member.
template <typename Value>
class Iterator {
 public:
  using iterator_category = std::bidirectional_iterator_tag;
  using value_type = Value;
  using difference_type = std::ptrdiff_t;
  using pointer = Value*;
  using reference = Value&;

  Iterator(Json::const_iterator at) : at_(at) {}
  Value operator*() const;
  va::DerefProxy<Value> operator->() const { return va::DerefProxy<Value>(**this); }
  bool operator==(const Iterator& other) const { return at_ == other.at_; }
  bool operator!=(const Iterator& other) const { return at_ != other.at_; }
  Iterator& operator++() {
    ++at_;
    return *this;
  }
  Iterator operator++(int) { return Iterator(at_++); }
  Iterator& operator--() {
    --at_;
    return *this;
  }
  void advance(std::ptrdiff_t n) { at_ += n; }

 private:
  Json::const_iterator at_;
};

class Array {
 public:
  using const_iterator = Iterator<Adapter>;
  using iterator = const_iterator;

  explicit Array(const Json* value = nothing(Json::value_t::array)) : value_(value) {}
  const_iterator begin() const { return value_->begin(); }
  const_iterator end() const { return value_->end(); }
  std::size_t size() const { return value_->size(); }

 private:
  const Json* value_;
};

class Object {
 public:
  using const_iterator = Iterator<Member>;
  using iterator = const_iterator;

  explicit Object(const Json* value = nothing(Json::value_t::object)) : value_(value) {}
  const_iterator begin() const { return value_->begin(); }
  const_iterator end() const { return value_->end(); }
  const_iterator find(const std::string& name) const { return value_->find(name); }
  std::size_t size() const { return value_->size(); }

 private:
  const Json* value_;
};

class FrozenValue : public va::FrozenValue {
 public:
  explicit FrozenValue(Json value) : value_(std::move(value)) {}
  va::FrozenValue* clone() const override { return new FrozenValue(value_); }
  bool equalTo(const va::Adapter& other, bool strict) const override;

 private:
  Json value_;
};

// valijson matches patterns by std::regex, which takes some of the stack for each character and so
// crashes at a string that is long enough. No value with a pattern is near this length.
inline constexpr std::size_t kCheckedLength = 1000;

class Value {
 public:
  explicit Value(const Json* value = nothing(Json::value_t::object)) : value_(value) {}

  va::FrozenValue* freeze() const { return new FrozenValue(*value_); }

  std::optional<Array> getArrayOptional() const {
    if (!value_->is_array()) return {};
    return Array(value_);
  }
  std::optional<Object> getObjectOptional() const {
    if (!value_->is_object()) return {};
    return Object(value_);
  }
  bool getArraySize(std::size_t& result) const { return isArray() && set(result, value_->size()); }
  bool getObjectSize(std::size_t& result) const {
    return isObject() && set(result, value_->size());
  }
  bool getBool(bool& result) const { return isBool() && set(result, value_->get<bool>()); }
  bool getDouble(double& result) const { return isDouble() && set(result, value_->get<double>()); }
  // A count above what an int64_t holds stays a large one.
  bool getInteger(std::int64_t& result) const {
    if (!isInteger()) return false;
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!value_->is_number_unsigned()) return set(result, value_->get<std::int64_t>());
    return set(result, static_cast<std::int64_t>(std::min(value_->get<std::uint64_t>(), kMost)));
  }
  bool getString(std::string& result) const {
    if (!isString()) return false;
    result.assign(value_->get_ref<const std::string&>(), 0, kCheckedLength);
    return true;
  }

  static bool hasStrictTypes() { return true; }
  bool isArray() const { return value_->is_array(); }
  bool isBool() const { return value_->is_boolean(); }
  bool isDouble() const { return value_->is_number_float(); }
  bool isInteger() const { return value_->is_number_integer(); }
  bool isNull() const { return value_->is_null(); }
  bool isNumber() const { return value_->is_number(); }
  bool isObject() const { return value_->is_object(); }
  bool isString() const { return value_->is_string(); }

 private:
  template <typename T>
  static bool set(T& result, T value) {
    result = value;
    return true;
  }

  const Json* value_;
};

class Adapter : public va::BasicAdapter<Adapter, Array, Member, Object, Value> {
 public:
  Adapter() = default;
  Adapter(const Json& value) : BasicAdapter(Value(&value)) {}
};

template <>
inline Adapter Iterator<Adapter>::operator*() const {
  return Adapter(*at_);
}

template <>
inline Member Iterator<Member>::operator*() const {
  return {at_.key(), Adapter(at_.value())};
}

inline bool FrozenValue::equalTo(const va::Adapter& other, bool strict) const {
  return Adapter(value_).equalTo(other, strict);
}

}  // namespace muxbench::valijson_adapter

template <>
struct valijson::adapters::AdapterTraits<muxbench::valijson_adapter::Adapter> {
  using DocumentType = muxbench::Json;
  static std::string adapterName() { return "muxbench::Json"; }
};
