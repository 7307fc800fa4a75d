//! Transforms: what a template becomes after its own evaluation. The one place where SAM's expansion is called.

use model::{Gap, GapReason, Resource};

use super::evaluate::Evaluator;

/// The SAM transform.
pub(crate) const SERVERLESS: &str = "AWS::Serverless-2016-10-31";

/// Applies the template's transforms to its evaluated resources, which already have SAM's `Globals` in them. `Fn::ForEach` and the other language extensions are
/// evaluated with everything else; what a macro of somebody's own does is a gap.
pub(crate) fn apply(evaluator: &Evaluator<'_, '_>, resources: Vec<Resource>) -> Vec<Resource> {
    let template = evaluator.template;
    for (name, span) in &template.transforms {
        let detail = match &**name {
            "AWS::LanguageExtensions" => continue,
            SERVERLESS if !resources.iter().any(|r| r.type_name.service() == "AWS::Serverless") => continue,
            SERVERLESS => "serverless resources are kept as they are written, not as what they become",
            _ => "what the macro changes is known only at deploy time",
        };
        let gap = Gap::new(format!("transform `{name}`"), GapReason::Unsupported, detail);
        evaluator.session.gap(gap.in_file(template.file.clone(), Some(*span)));
    }
    resources
}
