package io.metaplast;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleName;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The layers: public API, checks, backends; what only one place may do. */
class ArchitectureTest {
  private static JavaClasses classes;

  @BeforeAll
  static void read() {
    classes = new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("io.metaplast");
    assertThat(classes.contain(Backend.class)).isTrue();
    assertThat(classes.contain("io.metaplast.internal.java.JavaBayes")).isTrue();
  }

  private static void holds(ArchRule rule) {
    rule.allowEmptyShould(true).check(classes);
  }

  @Test
  void onlyTheCudaBackendTouchesCudaPresets() {
    holds(noClasses().that().resideOutsideOfPackage("io.metaplast.internal.cuda..").should().dependOnClassesThat().resideInAnyPackage("org.bytedeco.cuda.."));
  }

  @Test
  void onlyTheEigensolversTouchLinearAlgebraLibraries() {
    holds(
        noClasses().that().resideOutsideOfPackage("io.metaplast.internal.eigen..").should().dependOnClassesThat()
            .resideInAnyPackage("org.bytedeco.openblas..", "org.ejml.."));
  }

  @Test
  void publicTypesDoNotShowInternalOnes() {
    holds(
        noClasses()
            .that()
            .resideInAnyPackage("io.metaplast", "io.metaplast.bayes", "io.metaplast.binary", "io.metaplast.kfac")
            .and(com.tngtech.archunit.base.DescribedPredicate.not(simpleName("Metaplast"))) // the entry point
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.metaplast.internal.."));
  }

  @Test
  void entryPointHidesInternalTypes() {
    classes.get(Metaplast.class).getMethods().stream()
        .filter(m -> m.getModifiers().contains(JavaModifier.PUBLIC))
        .forEach(m -> assertThat(m.getRawReturnType().getPackageName()).as(m.getFullName()).doesNotContain("internal"));
  }

  @Test
  void backendsDoNotKnowEachOther() {
    String[] backends = {"io.metaplast.internal.java..", "io.metaplast.internal.cpu..", "io.metaplast.internal.cuda.."};
    for (String mine : backends) {
      for (String other : backends) {
        if (!mine.equals(other)) {
          holds(noClasses().that().resideInAnyPackage(mine).should().dependOnClassesThat().resideInAnyPackage(other));
        }
      }
    }
    holds(noClasses().that().resideInAnyPackage("io.metaplast.internal.spi..").should().dependOnClassesThat(are(resideInAnyPackage(backends))));
  }

  @Test
  void theLibraryNeverPrints() {
    holds(NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS);
  }

  /** Class A arithmetic: only + - * / and sqrt; the library functions differ from platform to platform, fma from the contract. */
  @Test
  void theJavaBackendUsesNoLibraryFunctions() {
    for (String function : new String[] {"fma", "log", "exp", "sin", "cos", "tan", "tanh", "pow", "log1p", "expm1", "cbrt", "hypot"}) {
      for (Class<?> math : new Class<?>[] {Math.class, StrictMath.class}) {
        Class<?>[][] signatures = {{double.class}, {double.class, double.class}, {float.class, float.class, float.class}, {double.class, double.class, double.class}};
        for (Class<?>[] signature : signatures) {
          holds(noClasses().that().resideInAnyPackage("io.metaplast.internal.java..").should().callMethod(math, function, signature));
        }
      }
    }
  }

  @Test
  void onlyTheLoaderLoads() {
    holds(noClasses().should().callMethod(System.class, "loadLibrary", String.class));
    holds(noClasses().that().doNotHaveSimpleName("NativeLoader").should().callMethod(System.class, "load", String.class));
    holds(noClasses().should().callMethod(System.class, "exit", int.class));
    holds(noClasses().should().callMethod(System.class, "setProperty", String.class, String.class));
    holds(noClasses().should().dependOnClassesThat().haveFullyQualifiedName("sun.misc.Unsafe"));
  }
}
