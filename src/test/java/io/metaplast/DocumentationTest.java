package io.metaplast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the documentation quotes exists: messages in the sources, links in the tree. */
class DocumentationTest {
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#]+)(#[^)]*)?\\)");
  private static final Pattern QUOTE = Pattern.compile("`([^`]+)`");

  @BeforeEach
  void inTheSourceTree() {
    assumeTrue(Files.exists(Path.of("README.md")), "no source tree in the working directory");
  }

  @Test
  void linksLeadSomewhere() throws IOException {
    List<String> broken = new ArrayList<>();
    List<Path> pages = new ArrayList<>(List.of(Path.of("README.md"), Path.of("benchmarks/README.md")));
    pages.addAll(files(Path.of("docs"), ".md"));
    for (Path page : pages) {
      Matcher link = LINK.matcher(Files.readString(page));
      while (link.find()) {
        String target = link.group(1);
        Path folder = page.toAbsolutePath().getParent();
        if (!target.contains("://") && !Files.exists(folder.resolve(target))) {
          broken.add(page + " -> " + target);
        }
      }
    }
    assertThat(broken).isEmpty();
  }

  @Test
  void quotedMessagesAreInTheSources() throws IOException {
    StringBuilder sources = new StringBuilder();
    for (Path folder : List.of(Path.of("src/main"), Path.of("native"), Path.of("benchmarks/src/main"))) {
      for (String suffix : List.of(".java", ".sh", ".cpp")) {
        for (Path file : files(folder, suffix)) {
          sources.append(Files.readString(file));
        }
      }
    }
    // A message may be put together from several literals.
    String text = sources.toString().replaceAll("\"\\s*\\+\\s*\"", "");
    List<String> unknown = new ArrayList<>();
    int quotes = 0;
    for (String line : Files.readAllLines(Path.of("docs/troubleshooting.md"))) {
      // The linker's own message is not ours.
      if (line.startsWith("### ") && !line.contains("GLIBC")) {
        Matcher quote = QUOTE.matcher(line);
        while (quote.find()) {
          quotes++;
          if (!text.contains(quote.group(1))) {
            unknown.add(quote.group(1));
          }
        }
      }
    }
    assertThat(quotes).isGreaterThan(20);
    assertThat(unknown).isEmpty();
  }

  private static List<Path> files(Path folder, String suffix) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(file -> file.toString().endsWith(suffix)).toList();
    }
  }
}
