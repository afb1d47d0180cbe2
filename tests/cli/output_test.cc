// Where output goes and what happens when it cannot: full disks, closed pipes, devices, links, other processes in the same folder.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "bitgrid_sim/fst.h"
#include "bitgrid_sim/systemc/platform.h"
#include "rtl/command.h"
#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

class CliOutput : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    for (const auto& [name, sum] : {std::pair{"and", "and"}, std::pair{"or", "or"}})
      write_file(path(std::string(name) + ".dag"), std::string("dag m\ninput a 2\ninput b 2\ns:2 = ") + sum + " a b\noutput y s\n");
    write_file(path("s"), "{\"in\":\"7\"}\n{\"in\":\"0\"}\n");
    write_file(path("sweep.yaml"), "model: " + model_ + "\nparameters: {streams: [1, 2]}\n");
    write_file(path("g.json"), "{\"width\":2,\"height\":1,\"cells\":[],\"format\":\"lutgrid-v1\"}");
    write_file(path("live"), "probe e0_out\n");
  }
  void compile(const std::string& source, const std::string& folder) const {
    const Result r = bitgrid("compile " + path(source) + " -o " + path(folder));
    ASSERT_EQ(r.status, 0) << r.output;
  }
  /// A file of that name on which every write fails: the disk is full.
  std::string full(const std::string& name) const {
    fs::create_symlink("/dev/full", path(name));
    return path(name);
  }
  /// Every command, by the words after `bitgrid`; needs folder c, compiled.
  std::vector<std::string> commands() const {
    std::vector<std::string> all = {"--help",
                                    "--version",
                                    "run " + model_ + " --prompt a --tokens 2 --engine cpu",
                                    "run " + model_ + " --prompt a --tokens 2 --engine grid",
                                    "check " + model_ + " --tokens 2",
                                    "compile " + path("and.dag") + " -o " + path("again"),
                                    "simulate " + path("c") + " --stimulus " + path("s"),
                                    "simulate " + path("g.json") + " --cycles 2 --trace",
                                    "simulate " + path("g.json") + " --cycles 2 --live " + path("live"),
                                    "faults " + path("c"),
                                    "verilog " + path("and.dag") + " -o " + path("v"),
                                    "verilog " + path("and.dag") + " --style fabric -o " + path("v"),
                                    "picture " + path("c") + " -o " + path("c.svg"),
                                    "picture " + path("and.dag") + " -o " + path("c.dot"),
                                    "estimate " + model_,
                                    "sweep " + path("sweep.yaml") + " -o " + path("sweep"),
                                    "sweep " + path("sweep.yaml") + " -o " + path("sweep") + " --slurm " + path("jobs"),
                                    "sweep " + path("sweep.yaml") + " -o " + path("sweep") + " --parallel " + path("jobs"),
                                    "report " + path("c") + " -o " + path("r.html"),
                                    "completion bash"};
    for (const char* name :
         {"run", "check", "compile", "simulate", "faults", "verilog", "picture", "estimate", "sweep", "report", "completion"})
      all.push_back(std::string(name) + " --help");
    if (platform::platform_available()) all.push_back("run " + model_ + " --prompt a --tokens 2 --engine systemc");
    if (is_installed("yosys")) all.push_back("report --synth " + path("and.dag") + " --side 1 --no-place");
    if (is_installed("yosys") && is_installed("berkeley-abc")) all.push_back("check " + path("and.dag") + " --prove");
    return all;
  }
};

TEST_F(CliOutput, AFullStandardOutputIsAnErrorOfEveryCommand) {
  compile("and.dag", "c");
  for (const std::string& command : commands()) {
    const Result r = shell(std::string(BITGRID_BINARY) + " " + command + " 2>&1 >/dev/full");
    EXPECT_EQ(r.status, 1) << command;
    // AddressSanitizer may speak first, of coroutines in SystemC.
    EXPECT_THAT(r.output, testing::EndsWith("bitgrid: standard output: cannot be written: No space left on device; free some space\n"))
        << command;
  }
}

TEST_F(CliOutput, AClosedStandardOutputIsAnErrorAndNoFileTakesItsPlace) {
  compile("and.dag", "c");
  const Result r = shell(std::string(BITGRID_BINARY) + " picture " + path("c") + " -o " + path("c.svg") + " 2>&1 >&-");
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("standard output: cannot be written: Bad file descriptor"));
  EXPECT_THAT(read_file(path("c.svg")), testing::StartsWith("<svg"));
}

TEST_F(CliOutput, AClosedPipeEndsTheProgramQuietly) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGPIPE, SIG_DFL);
    dup2(ends[1], STDOUT_FILENO);
    dup2(open(path("errors").c_str(), O_WRONLY | O_CREAT, 0666), STDERR_FILENO);
    execl(BITGRID_BINARY, "bitgrid", "completion", "bash", nullptr);
    _exit(127);
  }
  close(ends[1]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) << status;
  EXPECT_EQ(read_file(path("errors")), "");
}

TEST_F(CliOutput, AFullDiskIsAnErrorOfEveryFile) {
  compile("and.dag", "c");
  const std::string kernel = "simulate " + path("c") + " --stimulus " + path("s");
  std::vector<std::pair<std::string, std::string>> files = {{"estimate " + model_ + " --json ", "a.json"},
                                                            {"run " + model_ + " --prompt a --tokens 2 --engine cpu --json ", "b.json"},
                                                            {"picture " + path("c") + " -o ", "c.svg"},
                                                            {"report " + path("c") + " -o ", "c.html"},
                                                            {"faults " + path("c") + " --missed ", "missed"},
                                                            {kernel + " --trace ", "a.vcd"},
                                                            {"simulate " + path("g.json") + " --cycles 2 --save ", "state"},
                                                            {"sweep " + path("sweep.yaml") + " -o " + path("sweep") + " --slurm ", "jobs"}};
  if (sim::has_fst()) files.emplace_back(kernel + " --trace ", "a.fst");
  for (const auto& [command, file] : files) {
    const Result r = bitgrid(command + full(file));
    EXPECT_EQ(r.status, 1) << command;
    EXPECT_THAT(r.output, HasSubstr("bitgrid: " + path(file) + ": cannot be written: No space left on device; free some space")) << command;
    EXPECT_TRUE(fs::is_symlink(path(file))) << command;
  }
}

/// The text of a dump is in memory first; there, too, it may be too large.
TEST_F(CliOutput, ADumpThatIsTooLargeIsAnErrorAndLeavesNothing) {
  compile("and.dag", "c");
  std::string stimulus;
  for (int i = 0; i < 5000; ++i) stimulus += i % 2 ? "{\"in\":\"7\"}\n" : "{\"in\":\"0\"}\n";
  write_file(path("s"), stimulus);
  for (const char* file : {"a.fst", "a.vcd"}) {
    if (!sim::has_fst() && std::string(file) == "a.fst") continue;
    const Result r = shell("ulimit -f 2; " + std::string(BITGRID_BINARY) + " simulate " + path("c") + " --stimulus " + path("s") +
                           " --trace " + path(file) + " 2>&1 | tail -n 1");
    EXPECT_THAT(r.output, HasSubstr(path(file) + ": cannot be written: File too large; "));
    EXPECT_FALSE(fs::exists(path(file)));
  }
}

TEST_F(CliOutput, ResultsGoIntoAFifoAndIntoStandardOutput) {
  ASSERT_EQ(mkfifo(path("f").c_str(), 0666), 0);
  const Result fifo =
      shell("cat " + path("f") + " & " + BITGRID_BINARY + " estimate " + model_ + " --json " + path("f") + " > " + path("o") + "; wait");
  EXPECT_TRUE(json::parse(fifo.output).contains("cells_total"));
  EXPECT_TRUE(fs::is_fifo(path("f")));
  // Into a pipe, and into a file that holds the text as well.
  const std::string command = std::string(BITGRID_BINARY) + " picture " + path("and.dag") + " -o " + path("d.dot") + " --json ";
  for (const std::string& text :
       {shell(command + "/dev/stdout").output, (shell(command + "/dev/stdout > " + path("both")), read_file(path("both")))}) {
    EXPECT_THAT(text, HasSubstr(" nodes, "));
    EXPECT_THAT(text, HasSubstr("\"format\": \"dot\""));
  }
  EXPECT_EQ(fs::read_symlink("/dev/stdout"), "/proc/self/fd/1");
}

TEST_F(CliOutput, WhereAFolderIsNeededAFileIsNamed) {
  write_file(path("f"), "");
  for (const std::string& command : {"sweep " + path("sweep.yaml"), "compile " + path("and.dag"), "verilog " + path("and.dag"),
                                     "verilog " + path("and.dag") + " --style fabric"}) {
    const Result r = bitgrid(command + " -o " + path("f"));
    EXPECT_EQ(r.status, 1) << command;
    EXPECT_THAT(r.output, HasSubstr("bitgrid: " + path("f") + ": this ")) << command;
    EXPECT_THAT(r.output, HasSubstr("; name a folder")) << command;
    EXPECT_THAT(bitgrid(command + " -o " + path("f/g")).output, HasSubstr("/f/g")) << command;
  }
}

/// No text of the C++ library reaches the user, whatever is given as a path.
TEST_F(CliOutput, PathsThatCannotBeLookedAtAreNamed) {
  compile("and.dag", "c");
  const std::string longest = path(std::string(300, 'x'));
  for (const std::string& command :
       {"picture " + longest + " -o " + path("p"), "simulate " + longest + " --cycles 1", "compile " + longest + ".dag -o " + path("o"),
        "compile " + path("and.dag") + " -o " + longest, "check " + model_ + " --from " + longest, "faults " + longest,
        "report " + longest + " -o " + path("p"), "sweep " + longest + " -o " + path("o"), "sweep " + path("sweep.yaml") + " -o " + longest,
        "simulate " + path("g.json") + " --cycles 1 --resume " + longest, "simulate " + path("c") + " --stimulus " + longest,
        "run " + longest + " --engine cpu", "estimate " + model_ + " --arch " + longest, "estimate " + model_ + " --json " + longest}) {
    const Result r = bitgrid(command);
    EXPECT_EQ(r.status, 1) << command;
    EXPECT_THAT(r.output, HasSubstr("xxxx")) << command;
    EXPECT_THAT(r.output, HasSubstr("; ")) << command;
    for (const char* raw : {"filesystem error", "exception", "basic_string", "iostream"})
      EXPECT_THAT(r.output, Not(HasSubstr(raw))) << command;
  }
}

TEST_F(CliOutput, AProcessHasItsFolderAlone) {
  OutputFolder held(path("out"));
  for (const std::string& command : {"compile " + path("and.dag"), "verilog " + path("and.dag"), "compile " + path("missing.dag")}) {
    const Result r = bitgrid(command + " -o " + path("out"));
    EXPECT_EQ(r.status, 1);
    EXPECT_EQ(r.output, "bitgrid: " + path("out") + ": process " + std::to_string(getpid()) +
                            " is writing to this folder; wait until it finishes, or choose another folder with -o\n");
  }
}

TEST_F(CliOutput, ReadersRefuseAKernelThatTheManifestDoesNotList) {
  compile("and.dag", "x");
  compile("or.dag", "y");
  fs::copy(path("y/kernels"), path("x/kernels"), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  for (const std::string& command : {"simulate " + path("x") + " --stimulus " + path("s"), "picture " + path("x") + " -o " + path("x.svg"),
                                     "faults " + path("x"), "report " + path("x") + " -o " + path("x.html")}) {
    const Result r = bitgrid(command);
    EXPECT_EQ(r.status, 1) << command;
    EXPECT_EQ(r.output, "bitgrid: " + path("x") +
                            ": kernel m is not what compile.json lists: kernels/m was changed, or a run that was replacing it did not "
                            "finish; make the folder again\n")
        << command;
  }
  compile("and.dag", "x");
  EXPECT_EQ(bitgrid("simulate " + path("x") + " --stimulus " + path("s")).output, "{\"out\": \"1\"}\n{\"out\": \"0\"}\n");
}

TEST_F(CliOutput, AKernelThatWasNotVerifiedIsListedToo) {
  ASSERT_EQ(bitgrid("compile " + path("and.dag") + " --no-verify -o " + path("x")).status, 0);
  compile("or.dag", "y");
  fs::copy_file(path("y/kernels/m.bgbs"), path("x/kernels/m.bgbs"), fs::copy_options::overwrite_existing);
  EXPECT_THAT(bitgrid("picture " + path("x") + " -o " + path("x.svg")).output, HasSubstr("kernel m is not what compile.json lists"));
}

TEST_F(CliOutput, ACheckOfVerilogSaysWhatIsNotListed) {
  if (!is_installed("yosys") || !is_installed("berkeley-abc")) GTEST_SKIP() << "yosys or berkeley-abc is not installed";
  ASSERT_EQ(bitgrid("verilog " + path("and.dag") + " -o " + path("v")).status, 0);
  write_file(path("v/verilog/m.v"), read_file(path("v/verilog/m.v")) + "// changed\n");
  const Result r = bitgrid("check " + path("and.dag") + " --prove --from " + path("v"));
  EXPECT_THAT(r.output, HasSubstr("kernel m is not what verilog.json lists\n"));
  EXPECT_THAT(r.output, HasSubstr("1 of 1 proved"));
}

TEST_F(CliOutput, LongNamesAreShortened) {
  const std::string name(300, 'm');
  write_file(path("l.dag"), "dag " + name + "\ninput a 2\nn:2 = not a\noutput y n\n");
  compile("l.dag", "l");
  const std::string file = json_of("l/compile.json")["kernels"][0]["file"];
  EXPECT_THAT(file, testing::MatchesRegex("kernels/m{200}-[0-9a-f]{16}"));
  write_file(path("s"), "{\"in\":\"1\"}\n");
  EXPECT_EQ(bitgrid("simulate " + path("l") + " --kernel " + name + " --stimulus " + path("s")).output, "{\"out\": \"2\"}\n");
  for (const char* style : {"datapath", "fabric"}) {
    const Result r = bitgrid("verilog " + path("l.dag") + " --style " + style + " -o " + path("v"));
    EXPECT_EQ(r.status, 0) << r.output;
  }
}

TEST_F(CliOutput, PathsThatAreNotUtf8Work) {
  const std::string odd = "a\xe9";
  fs::copy_file(path("and.dag"), path(odd + ".dag"));
  Result r = bitgrid("compile " + path(odd + ".dag") + " -o " + path(odd) + " --json " + path(odd + ".json"));
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_EQ(json_of(odd + "/compile.json")["source"], "a\xEF\xBF\xBD");
  for (const std::string& command :
       {"simulate " + path(odd) + " --stimulus " + path("s"), "picture " + path(odd) + " -o " + path(odd + ".svg"),
        "report " + path(odd) + " --model " + path(odd + ".dag") + " -o " + path(odd + ".html"),
        "verilog " + path(odd + ".dag") + " -o " + path(odd), "faults " + path(odd) + " --missed " + path(odd + ".txt"),
        "picture " + path(odd + ".dag") + " -o " + path(odd + ".dot"), "sweep " + path("sweep.yaml") + " -o " + path(odd),
        "run " + model_ + " --engine cpu --prompt a --tokens 1"}) {
    r = bitgrid(command + " --json " + path(odd + ".json"));
    EXPECT_EQ(r.status, 0) << command << "\n" << r.output;
    json_of(odd + ".json");
  }
  fs::copy(dir_ + "/model", path(odd + "-model"), fs::copy_options::recursive);
  const std::string model = path(odd + "-model/model.yaml");
  for (const char* command : {"run", "check", "estimate"}) {
    r = bitgrid(std::string(command) + " " + model + " --json " + path(odd + ".json"));
    EXPECT_EQ(r.status, 0) << command << "\n" << r.output;
  }
  // What is wrong with the path itself is told.
  write_file(path("bad.yaml"), "model: none.yaml\nparameters: {streams: [1]}\n");
  fs::create_directory(path(odd + "-sweep"));
  fs::rename(path("bad.yaml"), path(odd + "-sweep/bad.yaml"));
  r = bitgrid("sweep " + path(odd + "-sweep/bad.yaml") + " -o " + path("points") + " --json " + path("sweep.json"));
  EXPECT_EQ(r.status, 1) << r.output;
  EXPECT_THAT(r.output, HasSubstr("none.yaml: there is no such file; check the path"));
  // JSON that holds a message with such a path can be read.
  write_file(path(odd + "-model/sweep.yaml"), "model: model.yaml\nparameters: {activation_bits: [2]}\n");
  r = bitgrid("sweep " + path(odd + "-model/sweep.yaml") + " -o " + path("points") + " --json " + path("sweep.json"));
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(json_of("sweep.json")["points"][0]["error"].get<std::string>(), HasSubstr("a\xEF\xBF\xBD-model/model.yaml"));
}

}  // namespace
}  // namespace bitgrid
