"""Repositories that exist on this machine already, so that Bazel needs no network."""

def _generated_repository_impl(ctx):
    for path, content in ctx.attr.files.items():
        ctx.file(path, content)

_generated_repository = repository_rule(
    implementation = _generated_repository_impl,
    attrs = {"files": attr.string_dict(mandatory = True)},
    doc = "A repository made of the given files: a dict of path to content.",
)

def _native_rules(name, language, rules):
    """Stands in for rules_cc and rules_java, whose rules Bazel 4 has built in."""
    _generated_repository(
        name = name,
        files = {
            "BUILD": "",
            language + "/BUILD": "",
            language + "/defs.bzl": "".join(["%s = native.%s\n" % (rule, rule) for rule in rules]),
        },
    )

def offline_repositories():
    """Declares what Bazel 4 would fetch from the network before it builds or tests any C++."""
    _native_rules("rules_cc", "cc", [
        "cc_binary",
        "cc_import",
        "cc_library",
        "cc_test",
        "cc_toolchain",
        "cc_toolchain_suite",
    ])
    _native_rules("rules_java", "java", [
        "java_binary",
        "java_import",
        "java_runtime",
        "java_toolchain",
    ])

    # Every test rule names these two, though only `bazel coverage` runs them.
    _generated_repository(
        name = "remote_coverage_tools",
        files = {"BUILD": """
package(default_visibility = ["//visibility:public"])
filegroup(name = "coverage_report_generator")
filegroup(name = "lcov_merger")
"""},
    )

def system_googletest(name):
    """GoogleTest as the system's package manager installs it (Debian: libgtest-dev)."""
    _generated_repository(
        name = name,
        files = {"BUILD": """
load("@rules_cc//cc:defs.bzl", "cc_library")
cc_library(
    name = "gtest_main",
    linkopts = ["-lgtest_main", "-lgtest", "-pthread"],
    visibility = ["//visibility:public"],
)
"""},
    )

_TENSORFLOW_BUILD = """
load("@rules_cc//cc:defs.bzl", "cc_import", "cc_library")
cc_import(
    name = "framework",
    shared_library = "libtensorflow_framework.so.2",
)
cc_library(
    name = "c_api",
    hdrs = glob([
        "include/tensorflow/c/**/*.h",
        "include/tensorflow/core/**/c/*.h",
        "include/tensorflow/core/platform/ctstring*.h",
        "include/tsl/platform/*.h",
        "include/xla/tsl/c/*.h",
    ]),
    includes = ["include"],
    visibility = ["//visibility:public"],
    deps = [":framework"],
)
"""

def _pip_tensorflow_impl(ctx):
    python = ctx.os.environ.get("ADDRNN_PYTHON")
    if not python:
        python = str(ctx.path(Label("//:BUILD")).dirname) + "/.venv/bin/python"
    finder = ctx.path(Label("//:tools/package_dir.py"))
    found = ctx.execute([python, finder, "tensorflow"])
    package = found.stdout.strip()
    if found.return_code or package == "NOTFOUND":
        fail("%s finds no tensorflow: run `make setup`, or let ADDRNN_PYTHON name a Python that does" % python)
    ctx.symlink(package + "/include", "include")
    ctx.symlink(package + "/libtensorflow_framework.so.2", "libtensorflow_framework.so.2")
    ctx.file("BUILD", _TENSORFLOW_BUILD)

pip_tensorflow = repository_rule(
    implementation = _pip_tensorflow_impl,
    environ = ["ADDRNN_PYTHON"],
    local = True,  # looked up anew whenever Bazel starts: pip may have replaced it
    doc = "TensorFlow's C API, from the pip package that ADDRNN_PYTHON (or .venv) imports.",
)
