//! Transforms: what a template becomes after its own evaluation.

use model::{Gap, GapReason, Resource};

use super::evaluate::Evaluator;
use super::globals::Globals;
use super::sam::{self, References};

/// The SAM transform.
pub(crate) const SERVERLESS: &str = "AWS::Serverless-2016-10-31";

/// Applies the template's transforms to its evaluated resources, which already have SAM's `Globals` in them; also gives what
/// references of serverless resources lead to. `Fn::ForEach` and the other language extensions are evaluated with everything
/// else; what a macro of somebody's own does is a gap.
pub(crate) fn apply(
    evaluator: &Evaluator<'_, '_>,
    globals: Option<&Globals>,
    resources: Vec<Resource>,
) -> (Vec<Resource>, References) {
    let template = evaluator.template;
    let mut serverless = false;
    for (name, span) in &template.transforms {
        match &**name {
            "AWS::LanguageExtensions" => continue,
            SERVERLESS => serverless = true,
            _ => {
                let detail = "what the macro changes is known only at deploy time";
                let gap = Gap::new(format!("transform `{name}`"), GapReason::Unsupported, detail);
                evaluator.session.gap(gap.in_file(template.file.clone(), Some(*span)));
            }
        }
    }
    if serverless { sam::expand(evaluator, globals, resources) } else { (resources, References::default()) }
}
