import { PROBLEMS, type ProblemCode } from '@runbell/sdk/contract'
import { pageAnswer } from '../http/answer.ts'
import { notFound } from '../http/problem.ts'
import { definePage, type Route } from '../route.ts'
import { DIAGNOSES } from '../views/diagnosis.ts'

const html = { description: 'A page', contentType: 'text/html' }

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

/** A page of a heading and paragraphs. The content policy allows nothing else, and nothing else is needed. */
function page(title: string, paragraphs: readonly string[]): string {
  const body = paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`).join('\n')
  const head = `<meta charset="utf-8"><title>${escapeHtml(title)} – Runbell</title>`
  return `<!doctype html>\n<html lang="en">\n${head}\n<h1>${escapeHtml(title)}</h1>\n${body}\n</html>\n`
}

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code)
}

const problemPage = definePage({
  path: '/problems/{code}',
  operationId: 'getProblemPage',
  summary: 'Explains a problem code: the page that `type` of a problem names',
  answers: { 200: html },
  problems: ['not_found'],
  handle(_services, params) {
    const code = params['code'] ?? ''
    if (!isProblemCode(code)) throw notFound()
    const { status, title, retryable } = PROBLEMS[code]
    return pageAnswer(
      page(code, [
        `${title}.`,
        `HTTP status ${status}.`,
        retryable
          ? 'The same request can succeed later: send it again with the same ids, after the time in Retry-After.'
          : 'The same request will not succeed later: change it first.',
        'The fields detail, errors and suggested_fix of the answer say what it was about this time.',
      ]),
    )
  },
})

const diagnosisPage = definePage({
  path: '/diagnoses/{name}',
  operationId: 'getDiagnosisPage',
  summary: 'Explains why an attempt failed: the page that `url` of a diagnosis names',
  answers: { 200: html },
  problems: ['not_found'],
  handle(_services, params) {
    const name = params['name'] ?? ''
    const diagnosis = Object.hasOwn(DIAGNOSES, name) ? DIAGNOSES[name] : undefined
    if (diagnosis === undefined) throw notFound()
    return pageAnswer(page(name, [`${diagnosis.title}.`, diagnosis.fix]))
  },
})

export const PAGE_ROUTES: readonly Route[] = [problemPage, diagnosisPage]
